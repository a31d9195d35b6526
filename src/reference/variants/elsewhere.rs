//! Another binding: everything that a target file may move, moved.

use crate::spec::binding::{Binding, Operation, PresenceBinding, Refusal, Route};

/// Where each operation lies: other methods, suffixes, queries, and variables in another order.
const ROUTES: [(Operation, &str, &str); 8] = [
    (Operation::ServerHash, "POST", "/_matrix/client/v1/capability_sets/offer/{user_id}/hash"),
    (Operation::ServerSet, "GET", "/_matrix/client/v1/capability_sets/offer?sha256={hash}"),
    (Operation::Declare, "POST", "/_matrix/client/v1/capability_sets/declare"),
    (Operation::Upload, "POST", "/_matrix/client/v1/capability_sets/by_hash/{hash}.json"),
    (Operation::Resolve, "GET", "/_matrix/client/v1/capability_sets/by_hash/{hash}/of?user={user_id}"),
    (Operation::FedServerHash, "GET", "/_matrix/federation/v1/capability_sets/offer?user={user_id}"),
    (Operation::FedServerSet, "POST", "/_matrix/federation/v1/capability_sets/offer/{hash}"),
    (Operation::FedResolve, "GET", "/_matrix/federation/v1/capability_sets/{hash}/of/{user_id}"),
];

/// The binding of `bound-elsewhere`.
pub(in crate::reference) fn binding() -> Binding {
    let route =
        |method: &str, template: &str| Route { method: method.to_owned(), template: template.to_owned() };
    let mut binding = Binding::default();
    binding.presence = PresenceBinding {
        event: "org.example.presence".to_owned(),
        field: "org.example.capability_hash".to_owned(),
        sync_path: "extensions.org_example_presence.events".to_owned(),
        status: route("GET", "/_matrix/client/v1/presence/{user_id}"),
        edu: "org.example.presence".to_owned(),
    };
    binding.refusal = Refusal { status: 412, errcode: "ORG.EXAMPLE_UPLOAD_FIRST".to_owned() };
    binding.unstable_feature = "org.example.capability_sets".to_owned();
    for (operation, method, template) in ROUTES {
        binding.set_route(operation, route(method, template));
    }
    binding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lies_where_it_did_and_a_target_file_could_say_so() {
        let (here, there) = (Binding::default(), binding());
        for operation in Operation::ALL {
            let route = there.route(operation);
            assert_ne!(route, here.route(operation), "{operation}");
            let read = Route::parse(&route.to_string(), operation.variables());
            assert_eq!(read.as_ref(), Ok(route), "{operation}");
        }
        let (this, that) = (&here.presence, &there.presence);
        assert!(this.event != that.event && this.field != that.field && this.sync_path != that.sync_path);
        assert!(this.status != that.status && this.edu != that.edu);
        assert!(here.refusal.status != there.refusal.status && here.refusal.errcode != there.refusal.errcode);
        assert_ne!(here.unstable_feature, there.unstable_feature);
    }
}
