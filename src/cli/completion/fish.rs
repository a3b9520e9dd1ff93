//! The completion for fish.

use super::kind::Kind;
use super::words::{MOUNT_OPTIONS, WORDS, fill, is_ctrbox, quoted, word};
use crate::Applet;
use crate::text::push_all;

pub(super) fn script(applets: &[&Applet], names: &str) -> String {
    let mut out = String::from("# fish completion for ctrbox. Made by: ctrbox completion fish\n");
    for applet in applets {
        let condition = if is_ctrbox(applet) {
            "__fish_use_subcommand".to_string()
        } else {
            ["__ctrbox_in ", word(applet)].concat()
        };
        // The options whose value is a word of its own.
        let mut valued = String::new();
        let begin = ["complete -c ctrbox -n '", &condition, "'"].concat();
        for spec in applet.options.iter() {
            out.push_str(&begin);
            if let Some(letter) = spec.short {
                push_all(&mut out, &[" -s ", letter.encode_utf8(&mut [0; 4])]);
            }
            for name in spec.names() {
                push_all(&mut out, &[" -l ", name]);
            }
            push_all(&mut out, &[" -d '", &quoted(&spec.help.replace('\n', " "), &['\\']), "'"]);
            if let Some((kind, required)) = spec.value() {
                out.push_str(&fish_kind(kind, required));
                if required {
                    push_all(&mut valued, &[" ", &spec.typed().join(" ")]);
                }
            }
            out.push('\n');
        }
        let operands = match Kind::of_operands(applet) {
            _ if is_ctrbox(applet) => [" -f -a '", names, " ", WORDS, "'"].concat(),
            Kind::Program => {
                let before = if Kind::begins_with_directory(applet) { "1" } else { "0" };
                [" -x -a '(__ctrbox_program ", before, &valued, ")'"].concat()
            }
            Kind::Other => " -f".into(),
            Kind::Pid => " -f -a '(__fish_complete_pids)'".into(),
            _ => " -F".into(),
        };
        push_all(&mut out, &[&begin, &operands, "\n"]);
    }
    fill(FISH, names, &mut out);
    out
}

fn fish_kind(kind: Kind, required: bool) -> String {
    let list = match kind {
        Kind::File => return if required { " -r -F" } else { " -F" }.into(),
        Kind::Other => return if required { " -x" } else { "" }.into(),
        Kind::Directory => "(__fish_complete_directories)".into(),
        Kind::User => "(__fish_complete_users)".into(),
        Kind::Group => "(__fish_complete_groups)".into(),
        Kind::Pid => "(__fish_complete_pids)".into(),
        Kind::Target => "(__ctrbox_targets)".into(),
        Kind::Program => "(__fish_complete_command)".into(),
        Kind::Words(_) | Kind::Capability => kind.words(),
        Kind::Capabilities => "(__ctrbox_list $__ctrbox_capabilities)".into(),
        Kind::SignedCapabilities => "(__ctrbox_list $__ctrbox_signed)".into(),
        Kind::Types => "(__ctrbox_list (string replace -r \".*\\t\" \"\" </proc/filesystems))".into(),
        Kind::MountOptions => ["(__ctrbox_list ", MOUNT_OPTIONS, ")"].concat(),
    };
    [if required { " -x" } else { " -f" }, " -a '", &list, "'"].concat()
}

const FISH: &str = r#"set -g __ctrbox_capabilities %CAPABILITIES%
set -g __ctrbox_signed %SIGNED%
# Offers words for the last one of a list.
function __ctrbox_list
    set -l before (commandline -ct | string replace -r '^--?[^=,]*=' '' | string replace -r '[^,]*$' '')
    for word in $argv
        echo $before$word
    end
end
# Whether the words are of this applet.
function __ctrbox_in
    set -l words (commandline -cop)
    test "$words[2]" = explain; and set -e words[2]
    test "$words[2]" = $argv[1]
end
# Completes the program that an applet runs, behind so many directories. Of the applet's options those named take a value.
function __ctrbox_program -a before
    set -l words (commandline -cop)
    test "$words[2]" = explain; and set -e words[2]
    set -e words[1..2]
    while set -q words[1]
        if contains -- $words[1] $argv[2..]
            set -e words[1]
        else if not string match -q -- '-*' $words[1]
            test $before = 0; and break
            set before 0
        end
        set -e words[1]
    end
    set words (string escape -- $words) (commandline -ct)
    if test $before = 1
        __fish_complete_directories
    else if not string match -q -- '-*' $words[1]
        complete -C "$words"
    end
end
complete -c ctrbox -n '__fish_seen_subcommand_from explain; and not __fish_seen_subcommand_from %NAMES%' -x -a '%NAMES%'
complete -c ctrbox -n '__fish_seen_subcommand_from man' -x -a '%NAMES%'
complete -c ctrbox -n '__fish_seen_subcommand_from completion' -x -a 'bash zsh fish'
# The processes that have other namespaces.
function __ctrbox_targets
    %TARGETS%
end
# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
function __ctrbox_is
    set -l path (command -s $argv[1])
    and string match -qr '(^|/)ctrbox$' (realpath $path); or command test "$path" -ef (command -s ctrbox; or echo /)
end
function __ctrbox_as
    complete -C (commandline -cp | string replace -r '^(\s*\w+=\S*)*\s*\S+' "ctrbox $argv[1]" | string collect)
end
for name in %NAMES%
    complete -c $name -n "__ctrbox_is $name" -f -a "(__ctrbox_as $name)"
end
"#;
