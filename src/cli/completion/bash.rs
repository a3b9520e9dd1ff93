//! The completion for bash.

use super::kind::Kind;
use super::words::{fill, is_ctrbox, word};
use crate::Applet;
use crate::called::Origin;
use crate::text::push_all;

pub(super) fn script(applets: &[&Applet], names: &str) -> String {
    let mut out = String::from(
        "# bash completion for ctrbox. Made by: ctrbox completion bash\n\n\
         _ctrbox_table() {\n    options='' value='' operands=''\n    case $1 in\n",
    );
    for applet in applets {
        // libcap's tools take a value only after an equals sign.
        let attached = applet.origin == Origin::Libcap;
        let mut all = Vec::new();
        let mut cases = String::new();
        for spec in applet.options.iter() {
            let mut patterns = Vec::new();
            for name in spec.typed() {
                let is_long = name.starts_with("--");
                if let Some((_, required)) = spec.value() {
                    if required && !(attached && is_long) {
                        patterns.push(name.clone());
                    }
                    if is_long {
                        patterns.push([&name, "="].concat());
                    }
                }
                all.push(if attached && is_long && spec.value().is_some() { name + "=" } else { name });
            }
            if let Some((kind, _)) = spec.value()
                && !patterns.is_empty()
            {
                push_all(&mut cases, &["        ", &patterns.join(" | "), ") value='", &bash_kind(kind), "' ;;\n"]);
            }
        }
        push_all(&mut out, &["    ", word(applet), ")\n        options='", &all.join(" "), "'\n        operands='"]);
        let operands = if is_ctrbox(applet) { Kind::Directory } else { Kind::of_operands(applet) };
        push_all(&mut out, &[bash_kind(operands).as_str(), "'\n"]);
        if !cases.is_empty() {
            push_all(&mut out, &["        case $2 in\n", &cases, "        esac\n"]);
        }
        out.push_str("        ;;\n");
    }
    out.push_str("    esac\n}\n");
    fill(BASH, names, &mut out);
    out
}

/// The word that bash's case below knows it by, or the words that it can be.
fn bash_kind(kind: Kind) -> String {
    match kind {
        Kind::Words(_) => return kind.words(),
        Kind::File => "@file",
        Kind::Directory => "@directory",
        Kind::User => "@user",
        Kind::Group => "@group",
        Kind::Pid => "@pid",
        Kind::Target => "@target",
        Kind::Capability => "@capability",
        Kind::Capabilities => "@capabilities",
        Kind::SignedCapabilities => "@signed",
        Kind::Types => "@types",
        Kind::MountOptions => "@options",
        Kind::Program => "@program",
        Kind::Other => "@other",
    }
    .into()
}

const BASH: &str = r#"
# The processes that have other namespaces.
_ctrbox_targets() {
    %TARGETS%
}

# Completes the last word of a list.
_ctrbox_list() {
    local last=${2##*,}
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -P "${2:0:${#2}-${#last}}" -W "$1" -- "$last")
}

_ctrbox() {
    local applet=${1##*/} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options value operands
    COMPREPLY=()
    if [[ $applet == ctrbox ]]; then
        if ((COMP_CWORD == 1)); then
            _ctrbox_table ctrbox ''
            mapfile -t COMPREPLY < <(compgen -W "%NAMES% %WORDS% $options" -- "$word")
            return
        fi
        case ${COMP_WORDS[1]} in
        man) value='%NAMES%' ;;
        completion) value='bash zsh fish' ;;
        explain)
            applet=${COMP_WORDS[2]##*/}
            if ((COMP_CWORD == 2)); then value='%NAMES%'; fi
            ;;
        -*) ;;
        *) applet=${COMP_WORDS[1]} ;;
        esac
    fi
    # Bash takes `--name=value` for three words.
    if [[ $word == = ]]; then
        before+='=' word=
    elif [[ $before == = ]] && ((COMP_CWORD > 1)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}=
    fi
    if [[ -z $value ]]; then
        _ctrbox_table "$applet" "$before"
    fi
    if [[ -z $value && $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
        return
    fi
    # Where the words are known, a file is none of them.
    [[ ${value:-$operands} =~ ^@(file|directory|program|other)$ ]] || compopt +o bashdefault +o default 2>/dev/null
    case ${value:-$operands} in
    @file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    @directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    @program) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -d -- "$word") ;;
    @user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    @group) mapfile -t COMPREPLY < <(compgen -g -- "$word") ;;
    @pid) mapfile -t COMPREPLY < <(cd /proc && compgen -W "$(echo [1-9]*)" -- "$word") ;;
    @target) mapfile -t COMPREPLY < <(compgen -W "$(_ctrbox_targets)" -- "$word") ;;
    @capability) mapfile -t COMPREPLY < <(compgen -W '%CAPABILITIES%' -- "$word") ;;
    @capabilities) _ctrbox_list '%CAPABILITIES%' "$word" ;;
    @signed) _ctrbox_list '%SIGNED%' "$word" ;;
    @types) _ctrbox_list "$(sed 's/.*\t//' /proc/filesystems 2>/dev/null)" "$word" ;;
    @options) _ctrbox_list '%OPTIONS%' "$word" ;;
    @other | '') ;;
    *) mapfile -t COMPREPLY < <(compgen -W "${value:-$operands}" -- "$word") ;;
    esac
}

# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
_ctrbox_applet() {
    local theirs=${_ctrbox_theirs[$1]} program
    program=$(type -P "$1")
    if [[ $program -ef $(type -P ctrbox) || $(readlink -f "$program") == */ctrbox ]]; then
        _ctrbox "$@"
        return
    fi
    if [[ -z $theirs ]]; then
        complete -r "$1" 2>/dev/null
        _comp_load "$1" 2>/dev/null || _completion_loader "$1" 2>/dev/null
        if [[ $(complete -p "$1" 2>/dev/null) =~ ' -F '([^ ]*) ]]; then theirs=${BASH_REMATCH[1]}; else theirs=:; fi
        _ctrbox_theirs[$1]=$theirs
        complete -o bashdefault -o default -F _ctrbox_applet "$1"
    fi
    "$theirs" "$@"
}

declare -A _ctrbox_theirs
complete -F _ctrbox ctrbox
for _ctrbox_name in %NAMES%; do
    if [[ $(complete -p "$_ctrbox_name" 2>/dev/null) =~ ' -F '([^ ]*) && ${BASH_REMATCH[1]} != _ctrbox* ]]; then
        _ctrbox_theirs[$_ctrbox_name]=${BASH_REMATCH[1]}
    fi
    complete -o bashdefault -o default -F _ctrbox_applet "$_ctrbox_name"
done
unset _ctrbox_name
"#;
