//! Acts as blocks of a script: the request, and what has to be so of its answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::properties::failure::Failure;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, Seat, Spoil, USERS, Which, Whom, walk, words};
use crate::spec::model::{Admits, Demand, Model, Presence, Rule};
use crate::spec::requirement::{self, Level};

use super::Names;
use super::shell::{is_template, said, template};
use super::words::{asked, device, is_free, token, variable};

/// Writes one act after the other, and walks the model beside them.
pub(super) struct Writer<'w> {
    failure: &'w Failure,
    names: &'w Names,
    model: Model,
    /// What was in force of each user so far.
    in_force: [Vec<Presence>; USERS],
    live: BTreeSet<Seat>,
    /// The rooms made so far, by their members that are still there.
    rooms: Vec<Vec<usize>>,
    /// Whether the act is the last, which is answered wrongly.
    is_last: bool,
    out: String,
}

impl<'w> Writer<'w> {
    pub(super) fn new(failure: &'w Failure, names: &'w Names) -> Self {
        let model = Model::new(names.sets().to_vec());
        let in_force = std::array::from_fn(|_| vec![Presence::Nothing]);
        let out = "# --- the history\n".to_owned();
        Self {
            failure,
            names,
            model,
            in_force,
            live: BTreeSet::new(),
            rooms: Vec::new(),
            is_last: false,
            out,
        }
    }

    /// The history as far as it has been written.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Writes an act, the `step`th from 0; `None` where no script can do it.
    pub(super) fn act(&mut self, step: usize, act: &Act, is_last: bool) -> Option<()> {
        let mut demand = self.model.demand(act);
        // Another should may well be broken, and is not what the script is about.
        demand.rules.retain(|rule| self.is_demanded(rule));
        self.is_last = is_last;
        demand.rules.iter_mut().for_each(|rule| rule.requirement = self.blamed(rule.requirement));
        let _ = writeln!(self.out, "\nstep {} {}", step + 1, said(&act.to_string()));
        let lines = self.lines(act, &demand)?;
        for line in lines {
            let _ = writeln!(self.out, "{line}");
        }
        self.model.follow(act, &walk::assumed(&self.model, act));
        for (user, past) in self.in_force.iter_mut().enumerate() {
            past.extend(self.model.recently(user));
            past.push(self.model.in_force(user));
        }
        Some(())
    }

    /// What a wrong answer breaks: of the last one it is known better than by what was asked.
    fn blamed(&self, usually: &'static str) -> &'static str {
        let found = requirement::find(&self.failure.requirement).filter(|_| self.is_last);
        found.map_or(usually, |found| found.id.as_str())
    }

    fn is_demanded(&self, rule: &Rule) -> bool {
        let is_must = requirement::find(rule.requirement).is_some_and(|rule| rule.level == Level::Must);
        is_must || rule.requirement == self.failure.requirement
    }

    fn lines(&mut self, act: &Act, demand: &Demand) -> Option<Vec<String>> {
        match act {
            Act::SignUp { .. }
            | Act::LogIn { .. }
            | Act::LogOut { .. }
            | Act::LogOutEverywhere { .. }
            | Act::DeleteDevice { .. } => Some(self.begin_or_end(act)),
            Act::Share { .. } | Act::Leave { .. } => Some(self.come_or_go(act)),
            Act::Declare { .. }
            | Act::Upload { .. }
            | Act::UploadUnder { .. }
            | Act::UploadSpoiled { .. }
            | Act::SetStatus { .. } => self.say(act, demand),
            Act::ReadStatus { .. } | Act::Sync { .. } => self.look(act, demand),
            Act::UseDeadToken { .. } | Act::Resolve { .. } | Act::AskServer { .. } => self.ask(act, demand),
            Act::RemoteShare { .. }
            | Act::RemoteDeclare { .. }
            | Act::RemoteRead { .. }
            | Act::RemoteResolve { .. }
            | Act::RemoteAskServer { .. } => None,
        }
    }

    /// Sessions begin and end. The last token that has ended on a seat is kept beside the one that lives.
    fn begin_or_end(&mut self, act: &Act) -> Vec<String> {
        match *act {
            Act::SignUp { user: who } => {
                let seat = Seat { user: who, device: 0 };
                self.live.insert(seat);
                let (name, session) = (words::user(who), variable(seat));
                vec![format!("sign_up {name} {}", device(seat)), format!("{name}=$user {session}=$token")]
            }
            Act::LogIn { user: who, device: on } => {
                let seat = Seat { user: who, device: on };
                let session = variable(seat);
                let kept = (!self.live.insert(seat)).then(|| format!("{session}_dead=${session}"));
                let log_in = [
                    format!("log_in \"${}\" {}", words::user(who), device(seat)),
                    format!("{session}=$token"),
                    format!("forget {session}"),
                ];
                kept.into_iter().chain(log_in).collect()
            }
            Act::LogOut { by } => {
                let log_out = format!("log_out {}", token(by));
                [log_out].into_iter().chain(self.ended(|seat| seat == by)).collect()
            }
            Act::LogOutEverywhere { by } => {
                let log_out = format!("log_out {} /all", token(by));
                [log_out].into_iter().chain(self.ended(|seat| seat.user == by.user)).collect()
            }
            Act::DeleteDevice { by, device: which } => {
                let victim = Seat { device: which, ..by };
                let delete =
                    format!("delete_device {} \"${}\" {}", token(by), words::user(by.user), device(victim));
                [delete].into_iter().chain(self.ended(|seat| seat == victim)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Keeps the tokens of sessions that have ended.
    fn ended(&mut self, ends: impl Fn(Seat) -> bool) -> Vec<String> {
        let ended: Vec<Seat> = self.live.iter().copied().filter(|seat| ends(*seat)).collect();
        self.live.retain(|seat| !ends(*seat));
        ended.into_iter().map(variable).map(|session| format!("{session}_dead=${session}")).collect()
    }

    /// Users come to share rooms, and leave them.
    fn come_or_go(&mut self, act: &Act) -> Vec<String> {
        match *act {
            Act::Share { host, guest } => {
                let room = self.rooms.len() + 1;
                self.rooms.push(vec![host.user, guest.user]);
                vec![
                    format!("make_room {}", token(host)),
                    format!("room_{room}=$room"),
                    format!("join_room {} \"$room_{room}\"", token(guest)),
                ]
            }
            Act::Leave { by, with: Whom::User(with) } => {
                let shared = |room: &Vec<usize>| room.contains(&by.user) && room.contains(&with);
                let mut lines = Vec::new();
                for (at, room) in self.rooms.iter_mut().enumerate().filter(|(_, room)| shared(room)) {
                    room.retain(|member| *member != by.user);
                    lines.push(format!("leave_room {} \"$room_{}\"", token(by), at + 1));
                }
                lines
            }
            _ => Vec::new(),
        }
    }

    /// Somebody says something to the homeserver, which takes it or does not.
    fn say(&self, act: &Act, demand: &Demand) -> Option<Vec<String>> {
        let mut lines = match act {
            Act::Declare { by, set } => {
                let (by, (text, hash)) = (token(*by), self.set(*set)?);
                let mut lines = vec![format!("declare_hash {by} {hash}")];
                if is_free(demand) {
                    lines.push(format!("uploaded_unless_known {by} {hash} {text}"));
                }
                lines
            }
            Act::Upload { by, set } => {
                let (text, hash) = self.set(*set)?;
                vec![format!("upload {} {hash} {text}", token(*by))]
            }
            Act::UploadUnder { by, claim, body } => {
                let ((text, _), (_, hash)) = (self.set(*body)?, self.set(*claim)?);
                vec![format!("upload {} {hash} {text}", token(*by))]
            }
            Act::UploadSpoiled { by, set, how } => {
                let hash = self.set(*set)?.1;
                vec![self.spoiled(*set, *how)?, format!("upload {} {hash} @", token(*by))]
            }
            Act::SetStatus { by, presence, forged } => {
                let user = words::user(by.user);
                let forged = match forged {
                    Some(set) => format!(" {}", self.set(*set)?.1),
                    None => String::new(),
                };
                vec![format!("set_status {} \"${user}\" {presence}{forged}", token(*by))]
            }
            _ => return None,
        };
        for Rule { requirement, admits, .. } in &demand.rules {
            lines.extend(match admits {
                Admits::Accepted => Some(format!("accepted {requirement}")),
                Admits::Refused => Some(format!("refused {requirement}")),
                Admits::Declined | Admits::Rejected => Some(format!("rejected {requirement}")),
                Admits::DeadToken => Some(format!("dead {requirement}")),
                Admits::AnyAnswer => Some(format!("no_breakdown {requirement}")),
                _ => None,
            });
        }
        Some(lines)
    }

    /// Writes the bytes of a spoiled set where `upload` takes them from.
    fn spoiled(&self, set: usize, how: Spoil) -> Option<String> {
        let good = self.names.sets().get(set)?;
        let text = self.set(set)?.0;
        Some(match how {
            // Every other byte is NUL, which no variable can hold.
            Spoil::Utf16 => format!("printf '%s' {text} | iconv -f UTF-8 -t UTF-16LE >\"$work/body\""),
            // The cut may go through the nonce.
            Spoil::CutOff(_) => {
                let left = how.bytes(good).len();
                format!("printf '%s' {text} | dd bs=1 count={left} 2>/dev/null >\"$work/body\"")
            }
            // Nor can a script hold these bytes, or put its nonce where one is broken.
            Spoil::Mutated(_) if !is_template(&how.bytes(good), &good.canonical_bytes()) => return None,
            _ => format!("printf '%s' {} >\"$work/body\"", template(&how.bytes(good))),
        })
    }

    /// Somebody looks at presence.
    fn look(&self, act: &Act, demand: &Demand) -> Option<Vec<String>> {
        let (reading, of) = match act {
            Act::ReadStatus { by, of: Whom::User(of) } => {
                (format!("status_shows {} \"${}\"", token(*by), words::user(*of)), *of)
            }
            Act::Sync { by, of: Whom::User(of) } => {
                let session = variable(*by);
                (format!("sync_shows {session} {} \"${}\"", token(*by), words::user(*of)), *of)
            }
            _ => return None,
        };
        let mut lines = vec![reading.clone()];
        for Rule { requirement, admits, settles } in &demand.rules {
            lines.push(match admits {
                Admits::Carries(presence) => {
                    let (hash, expected) = (self.carried(presence)?, said(&self.phrase(presence)?));
                    let earlier = match settles {
                        true => self.earlier(of, presence)?,
                        false => String::new(),
                    };
                    let once = format!("carries {requirement} {expected} {hash} or{earlier} -- {reading}");
                    format!("{} ||\n    wrong {requirement} {expected}", asked(&once, *settles))
                }
                Admits::Hidden => {
                    let once = format!("hides {reading}");
                    format!("{} ||\n    wrong {requirement} 'no hash'", asked(&once, *settles))
                }
                Admits::AHash => format!("well_spelled ||\n    wrong {requirement} 'a hash in due form'"),
                Admits::DeadToken => format!("dead {requirement}"),
                _ => format!("no_breakdown {requirement}"),
            });
        }
        // The rules ask for themselves.
        if lines.len() > 1 && lines[1].contains(&reading) {
            lines.remove(0);
        }
        Some(lines)
    }

    /// What was in force of a user before, as arguments.
    fn earlier(&self, of: usize, now: &Presence) -> Option<String> {
        let past = self.in_force.get(of)?;
        let mut words: Vec<String> =
            past.iter().filter(|was| *was != now).map(|was| self.carried(was)).collect::<Option<_>>()?;
        words.sort_unstable();
        words.dedup();
        Some(words.iter().map(|word| format!(" {word}")).collect())
    }

    /// Somebody asks for a hash or a set.
    fn ask(&self, act: &Act, demand: &Demand) -> Option<Vec<String>> {
        match act {
            Act::UseDeadToken { by } => {
                let last = if self.live.contains(by) { "_dead" } else { "" };
                let question =
                    format!("server_hash \"${}{last}\" \"${}\"", variable(*by), words::user(by.user));
                let mut lines = vec![question.clone()];
                for Rule { requirement, admits, settles } in &demand.rules {
                    lines.push(match (admits, settles) {
                        (Admits::DeadToken, true) => {
                            format!(
                                "settles died {question} ||\n    wrong {requirement} '401 M_UNKNOWN_TOKEN'"
                            )
                        }
                        (Admits::DeadToken, false) => format!("dead {requirement}"),
                        _ => format!("no_breakdown {requirement}"),
                    });
                }
                Some(lines)
            }
            Act::AskServer { by } => {
                let (by, user) = (token(*by), words::user(by.user));
                let (due, set) = (self.blamed("server.hash"), self.blamed("server.set"));
                Some(vec![
                    format!("server_hash {by} \"${user}\""),
                    format!("a_hash ||\n    wrong {due} 'a hash in due form'"),
                    "asked=$(jq -r .sha256 \"$work/answer\") found=$asked".to_owned(),
                    format!("server_set {by} \"$asked\""),
                    format!("hashes_to \"$asked\" ||\n    wrong {set} \"the set of $asked\""),
                ])
            }
            Act::Resolve { by, of: Whom::User(of), what } => self.resolve(*by, *of, *what, demand),
            _ => None,
        }
    }

    fn resolve(&self, by: Seat, of: usize, what: Which, demand: &Demand) -> Option<Vec<String>> {
        let hash = match self.model.hash_asked(Whom::User(of), what) {
            Some(hash) => format!("\"${}_hash\"", self.names.name(&hash)?),
            None if what == Which::Unknown => "\"$(hash_of \"nobody has this: $nonce\")\"".to_owned(),
            None => return None,
        };
        let question = format!("{} \"${}\" {hash}", token(by), words::user(of));
        let mut lines = vec![format!("resolve {question}")];
        for Rule { requirement, admits, settles } in &demand.rules {
            lines.push(match admits {
                Admits::Serves(set) => {
                    let name = self.names.name(&set.hash())?;
                    let once = format!("resolves {question} \"${name}\"");
                    let expected = said(&self.set_phrase(&set.hash())?);
                    format!("{} ||\n    wrong {requirement} {expected}", asked(&once, *settles))
                }
                Admits::NothingElseThan(hash) => match self.names.name(hash) {
                    Some(name) => {
                        format!(
                            "nothing_but \"${name}\" ||\n    wrong {requirement} 'a 4xx, or the very set'"
                        )
                    }
                    None => format!("nothing_but ||\n    wrong {requirement} 'a 4xx'"),
                },
                Admits::Rejected | Admits::Declined => format!("rejected {requirement}"),
                Admits::DeadToken => format!("dead {requirement}"),
                _ => format!("no_breakdown {requirement}"),
            });
        }
        Some(lines)
    }

    /// A set of the history: its text and its hash, as words.
    fn set(&self, set: usize) -> Option<(String, String)> {
        let name = self.names.name(&self.names.sets().get(set)?.hash())?;
        Some((format!("\"${name}\""), format!("\"${name}_hash\"")))
    }

    /// The hash that presence carries, as a word.
    fn carried(&self, presence: &Presence) -> Option<String> {
        match presence {
            Presence::Nothing => Some("''".to_owned()),
            Presence::Union(hash) => Some(format!("\"${}_hash\"", self.names.name(hash)?)),
        }
    }

    fn phrase(&self, presence: &Presence) -> Option<String> {
        match presence {
            Presence::Nothing => Some("no hash".to_owned()),
            Presence::Union(hash) => Some(format!("the hash of {}", self.set_phrase(hash)?)),
        }
    }

    fn set_phrase(&self, hash: &CapabilityHash) -> Option<String> {
        let name = self.names.name(hash)?;
        Some(match name.len() {
            _ if *hash == CapabilitySet::default().hash() => "{}".to_owned(),
            1 => name.to_owned(),
            _ => format!("the union of {}", name.chars().map(String::from).collect::<Vec<_>>().join(" and ")),
        })
    }
}
