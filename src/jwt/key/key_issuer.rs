//! The issuer that a public JWK names as the only one whose tokens its key verifies. The keys of
//! Microsoft's identity platform, which many tenants share, have such a member.

use serde_json::{Map, Value};

/// The place of the tenant's id in an issuer.
const TENANT: &str = "{tenantid}";

/// The text before the tenant's id in the issuer of Microsoft's tokens of version 2.0 and of
/// version 1.0, for each of its clouds. The same keys sign both, and the published set names the
/// first only.
const CLOUDS: [(&str, &str); 3] = [
    ("https://login.microsoftonline.com/", "https://sts.windows.net/"),
    ("https://login.microsoftonline.us/", "https://sts.windows.net/"),
    ("https://login.partner.microsoftonline.cn/", "https://sts.chinacloudapi.cn/"),
];
/// The text after the tenant's id.
const AFTER_VERSION_2: &str = "/v2.0";
const AFTER_VERSION_1: &str = "/";

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
        if !self.0.contains(TENANT) {
            return is_same(&self.0, issuer);
        }
        // A token without a tenant cannot have an issuer with one.
        tenant.is_some_and(|tenant| is_same(&self.0.replace(TENANT, tenant), issuer))
    }
}

/// Whether the issuer of a key is this issuer, or the same tenant of Microsoft's.
fn is_same(own: &str, issuer: &str) -> bool {
    own == issuer
        || CLOUDS.iter().any(|(version_2, version_1)| {
            tenant_in(own, version_2, AFTER_VERSION_2)
                .is_some_and(|id| tenant_in(issuer, version_1, AFTER_VERSION_1) == Some(id))
        })
}

fn tenant_in<'t>(issuer: &'t str, before: &str, after: &str) -> Option<&'t str> {
    issuer.strip_prefix(before)?.strip_suffix(after).filter(|id| !id.is_empty())
}
