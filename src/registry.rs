//! Objects that all threads of the process share by name.

use std::sync::{Arc, Mutex, PoisonError};

/// The shared objects of one class. An object stays as long as the process runs.
pub struct Registry<T> {
    /// In the order of their names.
    objects: Mutex<Vec<(String, Arc<T>)>>,
    max: usize,
}

/// The answer to a request for a shared object.
pub enum Shared<T> {
    /// The object of that name.
    Object(Arc<T>),
    /// The object of that name was made with other options.
    Conflict,
    /// There is no object of that name, and no room for another one.
    Full,
    /// There is no object of that name, and no memory for another one.
    NoMemory,
}

impl<T> Registry<T> {
    /// An empty registry with room for `max` names.
    pub const fn new(max: usize) -> Self {
        Self { objects: Mutex::new(Vec::new()), max }
    }

    /// Returns the object of a name, if its options agree with those of the caller. The first call
    /// with a name makes the object; other threads wait for it.
    pub fn share<E>(
        &self,
        name: &str,
        agrees: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Result<Arc<T>, E>,
    ) -> Result<Shared<T>, E> {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let place = objects.partition_point(|(known, _)| known.as_str() < name);
        if let Some((_, known)) = objects.get(place).filter(|(known, _)| known == name) {
            let answer =
                if agrees(known) { Shared::Object(known.clone()) } else { Shared::Conflict };
            return Ok(answer);
        }
        if objects.len() >= self.max {
            return Ok(Shared::Full);
        }
        if objects.try_reserve(1).is_err() {
            return Ok(Shared::NoMemory);
        }
        let object = make()?;
        objects.insert(place, (name.to_owned(), object.clone()));
        Ok(Shared::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::allocations::out_of_memory;

    fn share(registry: &Registry<u8>, name: &str, options: u8) -> Option<Arc<u8>> {
        let agrees = |known: &u8| *known == options;
        match registry.share(name, agrees, || Ok::<_, ()>(Arc::new(options))) {
            Ok(Shared::Object(object)) => Some(object),
            _ => None,
        }
    }

    #[test]
    fn a_name_and_equal_options_give_the_same_object() {
        let registry = Registry::new(2);
        let (first, second) = (share(&registry, "a", 1), share(&registry, "a", 1));
        assert!(first.zip(second).is_some_and(|(first, second)| Arc::ptr_eq(&first, &second)));
    }

    #[test]
    fn other_options_for_a_known_name_are_a_conflict() {
        let registry = Registry::new(2);
        share(&registry, "a", 1);
        let answer = registry.share("a", |known| *known == 2, || Err(()));
        assert!(matches!(answer, Ok(Shared::Conflict)));
    }

    #[test]
    fn a_full_registry_still_returns_the_names_it_knows() {
        let registry = Registry::new(1);
        share(&registry, "a", 1);
        assert!(matches!(registry.share("b", |_| true, || Err(())), Ok(Shared::Full)));
        assert_eq!(share(&registry, "a", 1).as_deref(), Some(&1));
    }

    #[test]
    fn a_failure_to_make_an_object_leaves_its_name_free() {
        let registry = Registry::new(1);
        assert!(registry.share("a", |_| true, || Err("failed")).is_err());
        assert_eq!(share(&registry, "a", 1).as_deref(), Some(&1));
    }

    #[test]
    fn without_memory_nothing_is_made_and_the_name_stays_free() {
        let registry = Registry::new(1000);
        let mut refused = 0;
        for number in 0..1000_u16 {
            let name = number.to_string();
            let share = || registry.share(&name, |_| false, || Ok::<_, ()>(Arc::new(number)));
            let answer = out_of_memory(1024, 0, share);
            if matches!(answer, Ok(Shared::NoMemory)) {
                refused += 1;
                assert!(matches!(share(), Ok(Shared::Object(_))), "{name}");
            }
        }
        assert!(refused > 3, "{refused}");
        for number in 0..1000_u16 {
            let known = registry.share(&number.to_string(), |known| *known == number, || Err(()));
            assert!(matches!(known, Ok(Shared::Object(_))), "{number}");
        }
    }
}
