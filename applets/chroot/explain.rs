//! The plan in words.

use super::plan::ChrootPlan;
use cli::explain::Explanation;
use run::explain as shared;
use std::ffi::OsStr;

/// Tells what the plan does.
pub fn explanation(plan: &ChrootPlan) -> Explanation {
    let mut explanation = Explanation::default();
    if plan.looks_outside {
        shared::look_up(&mut explanation, " outside");
    }
    shared::chroot(&mut explanation, plan.new_root);
    if plan.chdir {
        shared::chdir(&mut explanation, OsStr::new("/"));
    }
    if plan.looks_outside {
        shared::look_up(&mut explanation, " inside");
        let (words, call) = match plan.wanted.userspec {
            Some(_) => ("become that user, with those groups", "setgroups(), setgid(), setuid()"),
            None => ("take those groups", "setgroups()"),
        };
        explanation.tell(words, call, &[]);
    }
    explanation.run(&plan.program.argv, "a shell");
    explanation
}
