//! Showing devices: in columns, or in a line each as it was once done.

use super::options::{COLUMNS, Options};
use cli::columns::{Cell, Form, Listing, Style, device_numbers};
use cli::{Failure, Output, text};
use linux::mount::loopdev::LoopDevice;
use linux::stat;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Shows these devices in columns.
pub fn table(devices: &[OsString], options: &Options, output: &mut Output) -> Result<(), Failure> {
    let fields = options.fields()?;
    let columns = COLUMNS.chosen(&fields);
    let mut cells = Vec::with_capacity(devices.len() * fields.len());
    for path in devices {
        let device = LoopDevice::at(path);
        cells.extend(fields.iter().map(|field| cell(&device, *field, options.form)));
    }
    let parents = vec![None; devices.len()];
    let style = Style {
        form: options.form,
        no_headings: options.no_headings,
        width: linux::terminal::width_or_80(1),
        ..Style::default()
    };
    Listing { name: "loopdevices", columns, cells, parents, tree: "" }.print(style, output);
    Ok(())
}

/// What a field of [`COLUMNS`] says.
fn cell(device: &LoopDevice, field: usize, form: Form) -> Cell {
    let flag = |is_set: bool| match (form, is_set) {
        (Form::Json, true) => Some("true".into()),
        (Form::Json, false) => Some("false".into()),
        (_, is_set) => Some(text![u32::from(is_set)]),
    };
    let backing = || device.identity().map(|(device, _)| stat::numbers(device));
    Some(match field {
        0 => name(device),
        1 => return flag(device.autoclear()),
        2 => device.file()?.into_vec(),
        3 => text![device.identity()?.1],
        4 => device_numbers(backing()?, form),
        5 => text![backing()?.0],
        6 => text![backing()?.1],
        7 => device_numbers(device.numbers?, form),
        8 => text![device.numbers?.0],
        9 => text![device.numbers?.1],
        10 => text![device.offset()?],
        11 => return flag(device.partscan()),
        12 => device.reference().filter(|name| !name.is_empty())?,
        13 => return flag(device.read_only()),
        14 => text![device.sizelimit()?],
        15 => return flag(device.direct_io()),
        _ => text![device.sector_size()?],
    })
}

/// Its path, and whether it has lost its node.
pub fn name(device: &LoopDevice) -> Vec<u8> {
    text![&device.path, if device.is_lost { " (lost)" } else { "" }]
}

/// Shows a device in a line; whether it has a file.
pub fn line(path: &OsString, output: &mut Output) -> bool {
    let device = LoopDevice::at(path);
    let Some(file) = device.file() else { return false };
    let mut line = name(&device);
    match device.identity() {
        None => line.extend_from_slice(b": []: ("),
        Some((number, inode)) => line.extend_from_slice(format!(": [{number:04}]:{inode} (").as_bytes()),
    }
    line.extend_from_slice(&file.into_vec());
    line.push(b')');
    for (what, size) in [(", offset ", device.offset()), (", sizelimit ", device.sizelimit())] {
        if let Some(size) = size.filter(|size| *size != 0) {
            line = text![line, what, size];
        }
    }
    output.print_line(line);
    true
}
