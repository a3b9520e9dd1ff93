//! The completion for zsh.

use super::kind::Kind;
use super::words::{WORDS, fill, is_ctrbox, quoted, word};
use crate::Applet;
use crate::called::Origin;
use crate::option::Argument;
use crate::text::push_all;

pub(super) fn script(applets: &[&Applet], names: &str) -> String {
    let mut out =
        ["#compdef ctrbox ", names, "\n# zsh completion for ctrbox. Made by: ctrbox completion zsh\n"].concat();
    for applet in applets {
        push_all(&mut out, &["\n_ctrbox_", word(applet), "() {\n    _arguments -s -S : \\\n"]);
        for spec in applet.options.iter() {
            let help = quoted(&spec.help.replace('\n', " "), &['[', ']', ':', '\\']);
            for name in spec.typed() {
                let is_long = name.starts_with("--");
                push_all(&mut out, &["        '*", &name]);
                let value = match spec.value() {
                    Some((_, false)) if !is_long && matches!(spec.argument, Argument::OptionalLong(_)) => None,
                    value => value,
                };
                let suffix = match (value, is_long) {
                    (None, _) => "",
                    (Some((_, true)), true) if applet.origin == Origin::Libcap => "=-",
                    (Some((_, true)), true) => "=",
                    (Some((_, true)), false) => "+",
                    (Some((_, false)), true) => "=-",
                    (Some((_, false)), false) => "-",
                };
                push_all(&mut out, &[suffix, "[", &help, "]"]);
                if let Some((kind, required)) = value {
                    push_all(&mut out, &[if required { ":" } else { "::" }, "value:", &zsh_kind(kind)]);
                }
                out.push_str("' \\\n");
            }
        }
        if is_ctrbox(applet) {
            push_all(&mut out, &["        '1:applet:(", names, " ", WORDS, ")' '*::argument:_ctrbox_rest'\n}\n"]);
        } else {
            let operands = match Kind::of_operands(applet) {
                Kind::Program if Kind::begins_with_directory(applet) => {
                    "1:directory:_directories' '*:::program:_normal".to_string()
                }
                Kind::Program => "*::program:_normal".to_string(),
                kind => ["*:operand:", &zsh_kind(kind)].concat(),
            };
            push_all(&mut out, &["        '", &operands, "'\n}\n"]);
        }
    }
    fill(ZSH, names, &mut out);
    out
}

fn zsh_kind(kind: Kind) -> String {
    match kind {
        Kind::File => "_files".into(),
        Kind::Directory => "_directories".into(),
        Kind::User => "_users".into(),
        Kind::Group => "_groups".into(),
        Kind::Pid => "_pids".into(),
        Kind::Target => "_ctrbox_targets".into(),
        Kind::Program => "_command_names".into(),
        Kind::Words(_) | Kind::Capability => ["(", &kind.words(), ")"].concat(),
        Kind::Capabilities => "_sequence _ctrbox_capabilities".into(),
        Kind::SignedCapabilities => "_sequence _ctrbox_signed".into(),
        Kind::Types => "_sequence _ctrbox_types".into(),
        Kind::MountOptions => "_sequence _ctrbox_options".into(),
        Kind::Other => " ".into(),
    }
}

const ZSH: &str = r#"
_ctrbox_capabilities() { compadd "$@" - %CAPABILITIES% }
_ctrbox_targets() {
    compadd "$@" - $(%TARGETS%)
}
_ctrbox_types() { compadd "$@" - ${${(f)"$(</proc/filesystems)"}##*$'\t'} }
_ctrbox_options() { compadd "$@" - %OPTIONS% }
_ctrbox_signed() { compadd "$@" - %SIGNED% }

_ctrbox_rest() {
    case $words[1] in
    explain)
        if (( CURRENT == 2 )); then
            _values applet %NAMES%
        else
            shift words
            (( CURRENT-- ))
            _ctrbox_rest
        fi
        ;;
    man) _values applet %NAMES% ;;
    completion) _values shell bash zsh fish ;;
    *) if (( $+functions[_ctrbox_$words[1]] )); then _ctrbox_$words[1]; fi ;;
    esac
}

# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
_ctrbox() {
    local program=${commands[$service]:A}
    if [[ $service == ctrbox ]]; then
        _ctrbox_ctrbox
    elif [[ $program:t == ctrbox || $program -ef $commands[ctrbox] ]]; then
        _ctrbox_$service
    else
        local theirs=$_ctrbox_theirs[$service] name
        # What zsh has for the name, if this file took its place: umount is completed as mount is.
        for name in _$service ${${(M)service:#umount}:+_mount} _default; do
            if [[ -z $theirs ]] && (( $+functions[$name] )); then theirs=$name; fi
        done
        $theirs "$@"
    fi
}

if [[ $funcstack[1] == _ctrbox ]]; then
    _ctrbox "$@"
elif (( $+functions[compdef] )); then
    compdef _ctrbox ctrbox
    typeset -gA _ctrbox_theirs
    for _ctrbox_name in %NAMES%; do
        if [[ $_comps[$_ctrbox_name] != _ctrbox ]]; then _ctrbox_theirs[$_ctrbox_name]=$_comps[$_ctrbox_name]; fi
        compdef _ctrbox $_ctrbox_name
    done
    unset _ctrbox_name
fi
"#;
