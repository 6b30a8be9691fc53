//! Random calls against a plain model. The same calls give the same answers in memory and on a
//! store, which is closed and opened again in between.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::revocation::Query;

const LIMITS: SessionLimits = SessionLimits {
    refresh_ttl: 1000,
    idle_ttl: 400,
    grace: 30,
    retry_until_used: false,
    max_sessions: 6,
    max_sessions_per_subject: 3,
    on_limit: OnLimit::Reject,
};

const SUBJECTS: [&str; 3] = ["alice", "bob", "carol"];

/// A call. Numbers that are too large mean the last session, and the first token of it from the
/// newest on.
#[derive(Clone, Copy, Debug)]
enum Call {
    Start(usize),
    Refresh(usize, usize),
    End(usize),
    EndByToken(usize, usize),
    EndAll(usize),
    List(usize),
    Pass(u64),
    /// Sets the wall clock this much forwards or back.
    Step(i64),
    /// Restarts a process on the store.
    Restart,
}

/// The answer to a call. Sessions and tokens have the numbers of their order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    Started(Vec<usize>),
    Failed(Code),
    Rotated(usize),
    Replayed(usize),
    Reuse,
    Expired,
    Unknown,
    Ended(bool),
    Listed(Vec<usize>),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let (session, token, subject) = (0..8_usize, 0..4_usize, 0..3_usize);
    let seconds = prop::sample::select(vec![1, 15, 29, 30, 31, 200, 399, 400, 600]);
    let call = prop_oneof![
        4 => subject.clone().prop_map(Call::Start),
        12 => (session.clone(), token.clone()).prop_map(|(session, token)| Call::Refresh(session, token)),
        1 => session.clone().prop_map(Call::End),
        1 => (session, token).prop_map(|(session, token)| Call::EndByToken(session, token)),
        1 => subject.clone().prop_map(Call::EndAll),
        2 => subject.prop_map(Call::List),
        5 => seconds.prop_map(Call::Pass),
        1 => prop::sample::select(vec![-500, -10, 10, 500, 100_000]).prop_map(Call::Step),
        2 => Just(Call::Restart),
    ];
    prop::collection::vec(call, 1..60)
}

/// One session of the model. Times are in seconds.
struct Session {
    subject: usize,
    /// The places of its tokens, in their order: it has this many.
    tokens: usize,
    current: usize,
    /// The token that was exchanged for the current one.
    previous: Option<usize>,
    started: [u64; 2],
    used: [u64; 2],
    has_ended: bool,
}

struct Model {
    limits: SessionLimits,
    sessions: Vec<Session>,
    /// The wall clock and the boot clock.
    now: [u64; 2],
}

impl Model {
    fn end(&self, session: &Session, clock: usize) -> u64 {
        let life = session.started[clock] + self.limits.refresh_ttl;
        life.min(session.used[clock] + self.limits.idle_ttl)
    }

    fn is_over(&self, session: &Session) -> bool {
        session.has_ended || self.now[1] >= self.end(session, 1)
    }

    fn of(&self, subject: usize) -> Vec<usize> {
        let all = 0..self.sessions.len();
        let is_of = |at: &usize| {
            self.sessions[*at].subject == subject && !self.is_over(&self.sessions[*at])
        };
        all.filter(is_of).collect()
    }

    fn start(&mut self, subject: usize) -> Answer {
        let count = self.sessions.iter().filter(|session| !self.is_over(session)).count();
        if count >= self.limits.max_sessions {
            return Answer::Failed(Code::SessionFull);
        }
        let mut ended = self.of(subject);
        let excess = (ended.len() + 1).saturating_sub(self.limits.max_sessions_per_subject);
        ended.truncate(excess);
        if self.limits.on_limit == OnLimit::Reject && excess > 0 {
            return Answer::Failed(Code::SessionLimit);
        }
        for at in &ended {
            self.sessions[*at].has_ended = true;
        }
        let (started, used) = (self.now, self.now);
        let (current, previous, has_ended) = (0, None, false);
        self.sessions.push(Session {
            subject,
            tokens: 1,
            current,
            previous,
            started,
            used,
            has_ended,
        });
        Answer::Started(ended)
    }

    fn refresh(&mut self, at: usize, token: usize) -> Answer {
        let (now, limits) = (self.now, self.limits);
        let is_expired = self.is_over(&self.sessions[at]);
        let seems_expired = now[0] >= self.end(&self.sessions[at], 0);
        let session = &mut self.sessions[at];
        if session.has_ended {
            return Answer::Unknown;
        }
        if is_expired || seems_expired {
            session.has_ended = is_expired;
            return Answer::Expired;
        }
        let is_new = token == session.current;
        if !is_new && session.previous != Some(token) {
            session.has_ended = true;
            return Answer::Reuse;
        }
        if !is_new && now[1] < session.used[1] + limits.grace {
            return Answer::Replayed(session.current);
        }
        if !is_new && !limits.retry_until_used {
            session.has_ended = true;
            return Answer::Reuse;
        }
        (session.previous, session.current, session.used) = (Some(token), session.tokens, now);
        session.tokens += 1;
        Answer::Rotated(session.current)
    }

    fn end_by_token(&mut self, at: usize) -> Answer {
        let had_ended = std::mem::replace(&mut self.sessions[at].has_ended, true);
        Answer::Ended(!had_ended)
    }

    fn list(&self, subject: usize) -> Answer {
        let seems_live = |at: &usize| self.now[0] < self.end(&self.sessions[*at], 0);
        Answer::Listed(self.of(subject).into_iter().filter(seems_live).collect())
    }
}

/// Sessions as the calls see them.
struct Subject {
    fixture: Fixture,
    limits: SessionLimits,
    path: Option<PathBuf>,
    /// The tokens of each session, in their order.
    tokens: Vec<Vec<TokenPair>>,
}

impl Subject {
    fn number(&self, session: uuid::Uuid) -> usize {
        self.tokens.iter().position(|tokens| tokens[0].session == session).unwrap()
    }

    fn start(&mut self, subject: usize) -> Answer {
        let sessions = &self.fixture.sessions;
        match self.fixture.done(|| sessions.start(SUBJECTS[subject], "{}", None)) {
            Ok(Started { pair, ended }) => {
                let ended = ended.into_iter().map(|id| self.number(id)).collect();
                self.tokens.push(vec![pair]);
                Answer::Started(ended)
            }
            Err(error) => Answer::Failed(error.code),
        }
    }

    fn refresh(&mut self, at: usize, token: usize) -> Answer {
        match self.fixture.refresh(&self.tokens[at][token]) {
            Refreshed::Rotated(pair) => {
                self.tokens[at].push(pair);
                Answer::Rotated(self.tokens[at].len() - 1)
            }
            Refreshed::Replayed(pair) => {
                let known = |known: &TokenPair| known.refresh_token == pair.refresh_token;
                Answer::Replayed(self.tokens[at].iter().position(known).unwrap())
            }
            Refreshed::Restored(_) => panic!("nothing was restored"),
            Refreshed::Reuse(_) => Answer::Reuse,
            Refreshed::Expired(_) => Answer::Expired,
            Refreshed::Unknown => Answer::Unknown,
            Refreshed::Asks(_) => panic!("nobody asks"),
        }
    }

    fn list(&self, subject: usize) -> Answer {
        let listed = self.fixture.list(SUBJECTS[subject]);
        Answer::Listed(listed.iter().map(|info| self.number(info.session)).collect())
    }

    fn restart(&mut self) {
        if let Some(path) = &self.path {
            self.fixture.store.as_ref().unwrap().close();
            let (limits, clock) = (self.limits, self.fixture.clock.clone());
            self.fixture = Fixture::open(path, limits, ListLimits::default(), clock);
        }
    }

    /// Whether the access tokens of a session are refused.
    fn refuses(&self, at: usize) -> bool {
        let sid = self.tokens[at][0].session.to_string();
        let query = Query { session: Some(&sid), issued_at: Some(1e12), ..Query::default() };
        self.fixture.revocations.is_revoked(&query).unwrap()
    }
}

fn run(calls: &[Call], limits: SessionLimits, place: Place<'_>) {
    let fixture = Fixture::new(place, limits);
    let path = match place {
        Place::Memory => None,
        Place::Store(folder) => Some(folder.join("0")),
    };
    let mut subject = Subject { fixture, limits, path, tokens: Vec::new() };
    let mut model = Model { limits, sessions: Vec::new(), now: [NOW, 0] };
    for (place, call) in calls.iter().enumerate() {
        let count = model.sessions.len();
        let session = |at: usize| at.min(count - 1);
        let [expected, found] = match *call {
            Call::Start(who) => [model.start(who), subject.start(who)],
            Call::List(who) => [model.list(who), subject.list(who)],
            Call::Pass(seconds) => {
                model.now = model.now.map(|now| now + seconds);
                subject.fixture.pass(seconds);
                [Answer::Nothing, Answer::Nothing]
            }
            Call::Step(seconds) => {
                model.now[0] = model.now[0].saturating_add_signed(seconds);
                subject.fixture.clock.set(model.now[0]);
                [Answer::Nothing, Answer::Nothing]
            }
            Call::Restart => {
                subject.restart();
                [Answer::Nothing, Answer::Nothing]
            }
            Call::EndAll(who) => {
                for at in 0..count {
                    model.sessions[at].has_ended |= model.sessions[at].subject == who;
                }
                subject.fixture.end_all(SUBJECTS[who]).unwrap();
                [Answer::Nothing, Answer::Nothing]
            }
            _ if count == 0 => continue,
            Call::Refresh(at, token) => {
                let at = session(at);
                let token = model.sessions[at].tokens.saturating_sub(1 + token);
                let was_over = model.is_over(&model.sessions[at]);
                let answers = [model.refresh(at, token), subject.refresh(at, token)];
                match answers {
                    // The row of a session that is over may have been removed.
                    [Answer::Expired, Answer::Unknown] if was_over => continue,
                    answers => answers,
                }
            }
            Call::End(at) => {
                let at = session(at);
                model.sessions[at].has_ended = true;
                subject.fixture.end(subject.tokens[at][0].session).unwrap();
                assert!(subject.refuses(at), "{place}");
                [Answer::Nothing, Answer::Nothing]
            }
            Call::EndByToken(at, token) => {
                let at = session(at);
                let token = model.sessions[at].tokens.saturating_sub(1 + token);
                let text = subject.tokens[at][token].refresh_token.clone();
                let fixture = &subject.fixture;
                let ended = fixture.done(|| fixture.sessions.end_by_refresh_token(&text)).unwrap();
                let was_over = model.is_over(&model.sessions[at]);
                let answer = model.end_by_token(at);
                if was_over {
                    continue;
                }
                [answer, Answer::Ended(ended.is_some())]
            }
        };
        assert_eq!(expected, found, "call {place}, {call:?}");
        if expected == Answer::Reuse {
            let Call::Refresh(at, _) = *call else { panic!() };
            assert!(subject.refuses(session(at)), "{place}");
        }
        for (at, session) in model.sessions.iter().enumerate() {
            assert!(session.has_ended || !subject.refuses(at), "call {place}, {call:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn sessions_answer_as_a_plain_model_does_in_memory_and_on_a_store(
        calls in calls(),
        retry_until_used in any::<bool>(),
        ends_oldest in any::<bool>(),
    ) {
        let on_limit = if ends_oldest { OnLimit::EndOldest } else { OnLimit::Reject };
        let limits = SessionLimits { retry_until_used, on_limit, ..LIMITS };
        in_both_places(|place| run(&calls, limits, place));
    }
}
