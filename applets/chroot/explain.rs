//! The plan in words.

use super::Plan;
use cli::explain::{Story, steps as shared};
use cli::text;
use std::ffi::OsStr;

/// Tells what the plan does.
pub fn story(plan: &Plan) -> Story {
    let mut story = Story::default();
    let lookup = text!["open(\"/etc/passwd\"), open(\"/etc/group\")"];
    if plan.looks_outside {
        story.step(text!["look the user and the groups up in the account files outside"], lookup.clone());
    }
    shared::chroot(&mut story, &plan.new_root);
    if plan.chdir {
        shared::chdir(&mut story, OsStr::new("/"));
    }
    if plan.wanted.userspec.is_some() || plan.wanted.groups.is_some() {
        story.step(text!["look the user and the groups up in the account files inside"], lookup);
        story.step(text!["become that user, with those groups"], text!["setgroups(), setgid(), setuid()"]);
    }
    story.run(&plan.program.argv.0, "a shell");
    story
}
