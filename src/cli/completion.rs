//! Completions for bash, zsh and fish, made from the option tables.
//!
//! The kind of an argument follows from the name that the help gives it: `dir`, `uid`, `yes|no`. An applet's own name
//! is completed only where it is a link to ctrbox, since otherwise it is another program.

mod bash;
mod fish;
mod kind;
mod words;
mod zsh;

use crate::Applet;

/// The names of applets, with blanks between them.
pub fn names(applets: &[&Applet]) -> String {
    let mut names = String::new();
    for applet in applets {
        names.push_str(if names.is_empty() { "" } else { " " });
        names.push_str(applet.name);
    }
    names
}

/// The completion for a shell, or nothing if it is not known. `own` is ctrbox itself and the commands that it has beside
/// its applets.
pub fn script(shell: &str, own: &[&Applet], applets: &[&Applet]) -> Option<String> {
    let (all, names) = ([own, applets].concat(), names(applets));
    match shell {
        "bash" => Some(bash::script(&all, &names)),
        "zsh" => Some(zsh::script(&all, &names)),
        "fish" => Some(fish::script(&all, &names)),
        _ => None,
    }
}
