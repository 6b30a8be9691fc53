//! The ends of all sessions, the soonest first: a binary heap. It tells the table of sessions the
//! place of each, so that a session whose end changes, or that leaves, is found without a search.

use std::collections::TryReserveError;

use uuid::Uuid;

/// The ends of all sessions. `moved` is told each session that has a new place.
#[derive(Default)]
pub(super) struct Ends(Vec<(i64, Uuid)>);

impl Ends {
    /// The session that ends first, and when.
    pub(super) fn first(&self) -> Option<(i64, Uuid)> {
        self.0.first().copied()
    }

    /// Makes room for one more session.
    pub(super) fn try_reserve(&mut self) -> Result<(), TryReserveError> {
        self.0.try_reserve(1)
    }

    /// Adds a session. There must be room for it.
    pub(super) fn insert(&mut self, end: i64, id: Uuid, moved: impl FnMut(Uuid, usize)) {
        self.0.push((end, id));
        self.settle(self.0.len() - 1, moved);
    }

    /// Changes the end of the session at a place.
    pub(super) fn change(&mut self, place: usize, end: i64, moved: impl FnMut(Uuid, usize)) {
        if let Some(entry) = self.0.get_mut(place) {
            entry.0 = end;
            self.settle(place, moved);
        }
    }

    /// Removes the session at a place.
    pub(super) fn remove(&mut self, place: usize, moved: impl FnMut(Uuid, usize)) {
        if place < self.0.len() {
            self.0.swap_remove(place);
            self.settle(place, moved);
        }
    }

    /// The number of sessions.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Moves the session at a place up or down to where it belongs.
    fn settle(&mut self, mut place: usize, mut moved: impl FnMut(Uuid, usize)) {
        while let Some(next) = self.parent_above(place).or_else(|| self.child_below(place)) {
            #[cfg(test)]
            crate::testing::steps::step();
            self.0.swap(place, next);
            if let Some((_, displaced)) = self.0.get(place) {
                moved(*displaced, place);
            }
            place = next;
        }
        if let Some((_, settled)) = self.0.get(place) {
            moved(*settled, place);
        }
    }

    /// The place above, if its session ends later than the one at `place`.
    fn parent_above(&self, place: usize) -> Option<usize> {
        let parent = place.checked_sub(1)? / 2;
        (self.0.get(place)? < self.0.get(parent)?).then_some(parent)
    }

    /// The place below of the session that ends first, if that is before the one at `place`.
    fn child_below(&self, place: usize) -> Option<usize> {
        let children = [2 * place + 1, 2 * place + 2].into_iter();
        let child = children
            .filter(|child| *child < self.0.len())
            .min_by_key(|child| self.0.get(*child))?;
        (self.0.get(child)? < self.0.get(place)?).then_some(child)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    #[test]
    fn the_first_is_always_the_soonest_and_every_place_is_known() {
        let (mut ends, mut places) = (Ends::default(), HashMap::new());
        let mut model = BTreeSet::new();
        let mut random = 1_u64;
        for number in 0..3000_u128 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (end, id) = ((random >> 54).cast_signed() - 512, Uuid::from_u128(number));
            model.insert((end, id));
            ends.insert(end, id, |id, place| {
                places.insert(id, place);
            });
            let Some(&(old, id)) =
                model.iter().nth(usize::try_from(random >> 33).unwrap() % model.len())
            else {
                panic!()
            };
            model.remove(&(old, id));
            match random >> 40 & 3 {
                0 | 1 => {
                    let removed = places.remove(&id).unwrap();
                    ends.remove(removed, |id, place| {
                        places.insert(id, place);
                    });
                }
                _ => {
                    let end = (random >> 44 & 1023).cast_signed() - 512;
                    model.insert((end, id));
                    ends.change(places[&id], end, |id, place| {
                        places.insert(id, place);
                    });
                }
            }
            assert_eq!(ends.first(), model.first().copied());
            assert_eq!(ends.0.len(), model.len());
            assert!(ends.0.iter().enumerate().all(|(place, (_, id))| places[id] == place));
        }
    }
}
