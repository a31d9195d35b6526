//! Moves in which other homeservers take part.

use super::looks::look;
use super::moves::{
    Move, arrive, declare, delete_device, log_in, log_in_again, log_out, log_out_everywhere, opening, put,
    set_status,
};
use super::scene::Scene;
use crate::spec::history::{Act, Which, Whom};

/// Other homeservers take part.
pub(super) const FEDERATION: &[(usize, Move)] = &[
    (8, remote_declare),
    (4, remote_share),
    (8, remote_look),
    (6, look_abroad),
    (2, leave_remote),
    (1, remote_ask_server),
    (2, arrive),
    (4, log_in),
    (8, put),
    (3, declare),
    (3, log_out),
    (2, log_in_again),
    (1, delete_device),
    (1, log_out_everywhere),
    (2, set_status),
    (2, look),
];

/// As ever, and another homeserver.
pub(super) fn set_out(scene: &mut Scene<'_>) {
    opening(scene);
    remote_share(scene);
}

fn remote_share(scene: &mut Scene<'_>) {
    if let Some(host) = scene.seat() {
        let remote = scene.remote();
        scene.act(Act::RemoteShare { host, remote });
    }
}

fn remote_declare(scene: &mut Scene<'_>) {
    let remote = scene.remote();
    let set = if scene.chance(85) { Some(scene.set()) } else { None };
    scene.act(Act::RemoteDeclare { remote, set });
    if scene.chance(70) {
        look_abroad(scene);
    }
}

/// Somebody here looks at somebody there.
fn look_abroad(scene: &mut Scene<'_>) {
    let of = Whom::Remote(scene.remote());
    if let Some(by) = scene.looker(of) {
        match scene.below(5) {
            0 | 1 => scene.act(Act::ReadStatus { by, of }),
            2 => scene.act(Act::Sync { by, of }),
            3 => scene.act(Act::Resolve { by, of, what: Which::InForce }),
            _ => {
                let what = Which::Set(scene.set());
                scene.act(Act::Resolve { by, of, what })
            }
        };
    }
}

/// Somebody there looks at somebody here.
fn remote_look(scene: &mut Scene<'_>) {
    let remote = scene.remote();
    if let Some(of) = scene.touched.filter(|_| scene.chance(60)).or_else(|| scene.user()) {
        if scene.chance(50) {
            scene.act(Act::RemoteRead { remote, of });
        } else {
            let set = Which::Set(scene.set());
            let what =
                scene.pick(&[(5, Which::InForce), (2, Which::Superseded), (2, set), (1, Which::Unknown)]);
            scene.act(Act::RemoteResolve { remote, of, what });
        }
    }
}

fn leave_remote(scene: &mut Scene<'_>) {
    let with = Whom::Remote(scene.remote());
    if let Some(by) = scene.seat()
        && scene.share(by.user, with)
    {
        scene.act(Act::Leave { by, with });
    }
}

fn remote_ask_server(scene: &mut Scene<'_>) {
    let remote = scene.remote();
    scene.act(Act::RemoteAskServer { remote });
}
