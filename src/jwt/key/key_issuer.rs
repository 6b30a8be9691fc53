//! The issuer that a public JWK names as the only one whose tokens its key verifies. The keys of
//! Microsoft's identity platform, which many tenants share, have such a member.

use serde_json::{Map, Value};

/// The place of the tenant's id in an issuer.
const TENANT: &str = "{tenantid}";

/// The `issuer` of a JWK: a URL, with `{tenantid}` for the token's `tid` if the key is for the
/// tokens of all tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jwt) struct KeyIssuer(String);

impl KeyIssuer {
    /// The member `issuer` of a JWK; `None` if it is missing or no URL. RFC 7517 defines no such
    /// member, so in the keys of others a text may mean something else, such as the name of a
    /// certificate authority.
    pub(super) fn of(members: &Map<String, Value>) -> Option<Self> {
        let issuer = members.get("issuer")?.as_str()?;
        issuer.contains("://").then(|| Self(issuer.to_owned()))
    }

    /// The member's text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the key verifies tokens of this issuer, in which the claim `tid` is a text.
    pub(in crate::jwt) fn accepts(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match tenant {
            Some(tenant) if self.0.contains(TENANT) => issuer == self.0.replace(TENANT, tenant),
            // A token without a tenant cannot have an issuer with one.
            None if self.0.contains(TENANT) => false,
            _ => issuer == self.0,
        }
    }
}
