//! The plan in words.

use super::Plan;
use cli::explain::Story;
use run::explain as shared;
use std::ffi::OsStr;

/// Tells what the plan does.
pub fn story(plan: &Plan) -> Story {
    let mut story = Story::default();
    if plan.looks_outside {
        shared::look_up(&mut story, " outside");
    }
    shared::chroot(&mut story, &plan.new_root);
    if plan.chdir {
        shared::chdir(&mut story, OsStr::new("/"));
    }
    if plan.looks_outside {
        shared::look_up(&mut story, " inside");
        let (words, call) = match plan.wanted.userspec {
            Some(_) => ("become that user, with those groups", "setgroups(), setgid(), setuid()"),
            None => ("take those groups", "setgroups()"),
        };
        story.tell(words, call, &[]);
    }
    story.run(&plan.program.argv.0, "a shell");
    story
}
