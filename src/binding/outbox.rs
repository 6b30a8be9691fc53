//! The results of revocations on a store, for the promises that the façade makes.
//!
//! A promise of napi-rs takes longer than the revocation. Promises of one transaction would also be
//! settled one after another, and the first caller would begin the next transaction alone. So the
//! façade asks for all results with one promise, and says when its callers have had their turn.

use std::cell::RefCell;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use napi::bindgen_prelude::{Object, Unknown};
use napi::{Env, JsDeferred};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Arg, Fault, Outcome, Result, internal};
use super::guard;
use crate::error::{self, Code};
use crate::revocation::{Revocation, RevocationList};
use crate::store::Told;

/// Results that have not been delivered, of one façade.
pub(super) struct Outbox {
    state: Arc<Mutex<State>>,
    /// Delivers the results.
    told: Told,
}

#[derive(Default)]
struct State {
    last_ticket: u32,
    results: Vec<(u32, error::Result<()>)>,
    /// Whether all results of a transaction are there.
    is_ready: bool,
    /// The promise of the façade, if it waits.
    waiting: Option<Deferred>,
    /// The lists of the present turn, whose stores have not begun with its revocations.
    lists: Vec<Arc<RevocationList>>,
}

thread_local! {
    /// The outboxes of this thread, by their numbers.
    static OUTBOXES: RefCell<Vec<Weak<Outbox>>> = const { RefCell::new(Vec::new()) };
}

type Deliver = Box<dyn FnOnce(Env) -> napi::Result<Outcome<NativeResults>> + Send>;
type Deferred = JsDeferred<Outcome<NativeResults>, Deliver>;

impl Handle for Outbox {
    const TAG: u128 = 0x7b40_d2a5_91ce_4c38_8f17_3ad6_5e0b_c942;
    const CLASS: &'static str = "Outbox";
}

/// Results, each with the ticket of its call.
#[napi(object, object_from_js = false)]
pub(super) struct NativeResults {
    /// The tickets.
    pub tickets: Vec<u32>,
    /// The outcomes, in the same order.
    pub outcomes: Vec<Outcome<()>>,
}

impl Outbox {
    fn new() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let of_told = state.clone();
        let told = Arc::new(move || {
            let mut state = lock(&of_told);
            state.is_ready = !state.results.is_empty();
            deliver(&of_told, state);
        });
        Self { state, told }
    }

    /// Revokes, and returns the ticket of the result.
    fn revoke(&self, list: &Arc<RevocationList>, revocation: &Revocation<'_>) -> u32 {
        let ticket = {
            let mut state = lock(&self.state);
            state.last_ticket = state.last_ticket.wrapping_add(1);
            if !state.lists.iter().any(|known| Arc::ptr_eq(known, list)) {
                state.lists.push(list.clone());
            }
            state.last_ticket
        };
        let state = self.state.clone();
        let done = move |result| lock(&state).results.push((ticket, result));
        list.revoke_later(revocation, Box::new(done), &self.told);
        ticket
    }
}

/// Settles the promise of the façade if it waits and results are ready: with all that there are
/// when the JavaScript thread does it.
fn deliver(outbox: &Arc<Mutex<State>>, mut state: MutexGuard<'_, State>) {
    if !state.is_ready {
        return;
    }
    let Some(deferred) = state.waiting.take() else { return };
    drop(state);
    let outbox = outbox.clone();
    deferred.resolve(Box::new(move |env| {
        guard(&env, || {
            let mut state = lock(&outbox);
            state.is_ready = false;
            let results = mem::take(&mut state.results);
            drop(state);
            let outcome =
                |result: error::Result<()>| result.map_or_else(Outcome::Failed, Outcome::Returned);
            let (tickets, outcomes) =
                results.into_iter().map(|(ticket, result)| (ticket, outcome(result))).unzip();
            Ok(NativeResults { tickets, outcomes })
        })
    }));
}

fn lock(outbox: &Mutex<State>) -> MutexGuard<'_, State> {
    outbox.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Attaches a new outbox to the façade object `outbox`. Returns its number, with which calls name
/// it: that is read faster than an object.
#[napi(catch_unwind)]
pub(super) fn outbox_attach(env: &Env, outbox: Unknown<'_>) -> napi::Result<Outcome<u32>> {
    guard(env, || {
        let new = Arc::new(Outbox::new());
        Arg::new(env, &outbox, "this").attach(new.clone())?;
        OUTBOXES.with_borrow_mut(|known| {
            let free = known.iter().position(|outbox| outbox.strong_count() == 0);
            let number = free.unwrap_or(known.len());
            match known.get_mut(number) {
                Some(place) => *place = Arc::downgrade(&new),
                None => known.push(Arc::downgrade(&new)),
            }
            u32::try_from(number).map_err(|_| internal().into())
        })
    })
}

/// A promise of the results that have not been delivered, once there are any. If the environment
/// has ended before, they are dropped.
#[napi(catch_unwind)]
pub(super) fn outbox_results<'env>(
    env: &'env Env,
    outbox: Unknown<'_>,
) -> napi::Result<Outcome<Object<'env>>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "this").handle::<Outbox>()?;
        let (deferred, promise): (Deferred, _) = env.create_deferred().map_err(|_| internal())?;
        let mut state = lock(&outbox.state);
        state.waiting = Some(deferred);
        deliver(&outbox.state, state);
        Ok(promise)
    })
}

/// Has the stores begin with the revocations of this turn.
#[napi(catch_unwind)]
pub(super) fn outbox_end_turn(env: &Env, outbox: Unknown<'_>) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let outbox = Arg::new(env, &outbox, "this").handle::<Outbox>()?;
        let lists = mem::take(&mut lock(&outbox.state).lists);
        for list in lists {
            list.begin_commit();
        }
        Ok(())
    })
}

/// Revokes: with an outbox without blocking, and then returns the ticket of the result.
pub(super) fn revoke(
    list: &Arc<RevocationList>,
    revocation: &Revocation<'_>,
    outbox: &Arg<'_>,
) -> Result<Option<u32>> {
    let Some(number) = outbox.present()? else {
        if list.is_remote() {
            return Err(Fault::new(
                Code::RevocationSync,
                "a list on a server has no Sync calls, which would block for the network; call \
                 the form that returns a promise",
            ));
        }
        list.revoke(revocation)?;
        return Ok(None);
    };
    let number = number.integer(0..=u64::from(u32::MAX))?;
    let outbox = OUTBOXES.with_borrow(|known| {
        usize::try_from(number).ok().and_then(|number| known.get(number)?.upgrade())
    });
    Ok(Some(outbox.ok_or_else(internal)?.revoke(list, revocation)))
}
