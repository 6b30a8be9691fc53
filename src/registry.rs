//! Objects that all threads of the process share by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The shared objects of one class. An object stays as long as the process runs.
pub struct Registry<T> {
    objects: Mutex<BTreeMap<String, Arc<T>>>,
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
}

impl<T> Registry<T> {
    /// An empty registry with room for `max` names.
    pub const fn new(max: usize) -> Self {
        Self { objects: Mutex::new(BTreeMap::new()), max }
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
        if let Some(known) = objects.get(name) {
            let answer =
                if agrees(known) { Shared::Object(known.clone()) } else { Shared::Conflict };
            return Ok(answer);
        }
        if objects.len() >= self.max {
            return Ok(Shared::Full);
        }
        let object = make()?;
        objects.insert(name.to_owned(), object.clone());
        Ok(Shared::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
