//! Registration by Synapse's shared secret: `/_synapse/admin/v1/register`
//! (Synapse, "Shared-Secret Registration").

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;

use crate::wire::{Client, Request, Secret};

use super::answer::{self, broken, errcode, said};
use super::names::password;
use super::{Account, ProvisionError, Provisioner};

const PATH: &str = "/_synapse/admin/v1/register";

impl Provisioner {
    pub(super) async fn create_with_secret(
        &self,
        client: &Client,
        localpart: &str,
        secret: &Secret,
    ) -> Result<Account, ProvisionError> {
        client.transcript().conceal(secret);
        let exchange = client.send(Request::new("GET", PATH)).await;
        let nonce =
            answer::ok(client, &exchange, "").ok().and_then(|o| Some(o.get("nonce")?.as_str()?.to_owned()));
        let Some(nonce) = nonce else {
            let advice = match exchange.is_unrecognized() || exchange.status() == Some(400) {
                true => {
                    ": set registration_shared_secret at the server and serve /_synapse/admin, or write another how in [users]"
                }
                false => "",
            };
            let reason =
                format!("cannot begin shared-secret registration: {}{advice}", said(client, &exchange));
            return Err(broken(reason, Some(&exchange)));
        };
        let password = password(client)?;
        let body = json!({
            "nonce": nonce,
            "username": localpart,
            "password": password.reveal(),
            "admin": false,
            "mac": mac(secret, &nonce, localpart, &password),
        });
        let exchange = client.send(Request::new("POST", PATH).json(&body).costly()).await;
        if exchange.status() == Some(403) && errcode(&exchange).as_deref() != Some("M_USER_IN_USE") {
            let reason = format!(
                "the server does not take shared_secret in [users]: {}; it must equal the server's registration_shared_secret",
                said(client, &exchange)
            );
            return Err(broken(reason, Some(&exchange)));
        }
        self.registered(client, localpart, password, &exchange).await
    }
}

/// HMAC-SHA1 over nonce, user, password and role, joined by NUL, in hex.
fn mac(secret: &Secret, nonce: &str, user: &str, password: &Secret) -> String {
    // Keys of any length are good: the error type is the trait's.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.reveal().as_bytes()) else { return String::new() };
    mac.update([nonce, user, password.reveal(), "notadmin"].join("\0").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Derived with Python's hmac and with OpenSSL.
    #[test]
    fn mac_of_a_known_registration() {
        let mac = mac(&Secret::new("shared"), "thisisanonce", "pepper_roni", &Secret::new("pizza"));
        assert_eq!(mac, "bb0bc14fb0c87678687927d9f15895a0a8b34d37");
    }
}
