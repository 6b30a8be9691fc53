//! Chooses the verifier that judges a token, among those of several issuers.
//!
//! The issuer is read before the signature is verified, so it proves nothing. It only chooses: the
//! verifier that is chosen demands this very issuer, with the issuer's own keys (RFC 8725 section
//! 3.8).

use std::collections::HashMap;
use std::sync::Arc;

use super::verifier::{Scratch, Verifier};
use crate::error::{Code, Error, Result};
use crate::jwt::token::compact::TokenForm;
use crate::jwt::token::header::resolve;
use crate::jwt::token::json::{Value, read_object};
use crate::jwt::token::malformation::{Malformation, Segment};
use crate::jwt::token::rejection::{Claim, Reason, Rejection};

/// How much of a name an error quotes, in characters.
const QUOTED: usize = 100;

/// The indices of verifiers, by the name of their issuer.
pub struct IssuerChoice {
    indices: HashMap<String, usize>,
    /// The most generous form among the verifiers. Each of them then applies its own.
    form: TokenForm,
}

impl IssuerChoice {
    /// Makes the choice among these verifiers. `ERR_INVALID_ARG_VALUE` if one of them does not
    /// demand the name that it stands for.
    pub fn new(verifiers: Vec<(String, Arc<Verifier>)>) -> Result<Self> {
        let mut form = TokenForm { max_len: 0, may_be_padded: false };
        let mut indices = HashMap::new();
        for (index, (name, verifier)) in verifiers.into_iter().enumerate() {
            if !verifier.demands_issuer(&name) {
                return Err(does_not_demand(&name));
            }
            let TokenForm { max_len, may_be_padded } = verifier.form();
            form.max_len = form.max_len.max(max_len);
            form.may_be_padded |= may_be_padded;
            indices.insert(name, index);
        }
        Ok(Self { indices, form })
    }

    /// The length of the longest token, in bytes.
    pub fn max_token_len(&self) -> usize {
        self.form.max_len
    }

    /// The index of the verifier that judges a token.
    pub fn choose(
        &self,
        token: &[u8],
        scratch: &mut Scratch,
    ) -> std::result::Result<usize, Rejection> {
        let payload = scratch.decode_unverified(token, self.form)?;
        let mut issuer = None;
        read_object(payload, |name, value| {
            if name.is("iss") {
                issuer = Some(value);
            }
        })
        .map_err(|fault| Malformation::Json(Segment::Payload, fault))?;
        let reason = match issuer {
            None => Reason::Missing,
            Some(Value::String(raw)) => match self.indices.get(&*resolve(raw)) {
                Some(index) => return Ok(*index),
                None => Reason::Unknown,
            },
            Some(_) => Reason::Type,
        };
        Err(Rejection::Claim(Claim::Issuer, reason))
    }
}

fn does_not_demand(name: &str) -> Error {
    let quoted: String = name.chars().take(QUOTED).collect();
    Error::new(
        Code::InvalidArgValue,
        format!(
            "the verifier for {quoted:?} must name this issuer in its option issuer: the \"iss\" \
             of a token only chooses the verifier, which then has to demand it"
        ),
    )
}
