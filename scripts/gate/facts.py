"""Prints facts about binaries as JSON, by their paths. LIEF reads ELF, PE and Mach-O of any machine."""

import json
import sys
import zlib

import lief

X64, ARM64 = "x64", "arm64"
# Names that zig's linker adds to every library for macOS.
OF_LINKER = {"__dso_handle", "_mh_dylib_header"}


def crates(binary):
    """The crates that cargo-auditable has listed in the binary as linked, without our own."""
    section = binary.get_section(".dep-v0")
    if section is None:
        return None
    packages = json.loads(zlib.decompress(bytes(section.content)))["packages"]
    return sorted(
        f"{each['name']} {each['version']}"
        for each in packages
        if not each.get("root") and each.get("kind", "runtime") == "runtime"
    )


def elf(binary):
    machines = {lief.ELF.ARCH.X86_64: X64, lief.ELF.ARCH.AARCH64: ARM64}
    segments = {segment.type: segment for segment in binary.segments}
    dynamic = {entry.tag: entry for entry in binary.dynamic_entries}
    tags, types = lief.ELF.DynamicEntry.TAG, lief.ELF.Segment.TYPE
    flags = dynamic[tags.FLAGS].value if tags.FLAGS in dynamic else 0
    flags_1 = dynamic[tags.FLAGS_1].value if tags.FLAGS_1 in dynamic else 0
    # DF_BIND_NOW and DF_1_NOW, the new forms of DT_BIND_NOW.
    binds_now = tags.BIND_NOW in dynamic or bool(flags & 0x8) or bool(flags_1 & 0x1)
    stack = segments.get(types.GNU_STACK)
    needed = binary.symbols_version_requirement
    return {
        "format": "ELF",
        "machine": machines.get(binary.header.machine_type, str(binary.header.machine_type)),
        "libraries": list(binary.libraries),
        "versions": sorted({each.name for one in needed for each in one.get_auxiliary_symbols()}),
        "exports": sorted({symbol.name for symbol in binary.exported_symbols}),
        "crates": crates(binary),
        "relro": types.GNU_RELRO in segments and binds_now,
        "nx": stack is not None and not stack.has(lief.ELF.Segment.FLAGS.X),
        # DF_TEXTREL is the new form of DT_TEXTREL.
        "textrel": tags.TEXTREL in dynamic or bool(flags & 0x4),
        "rpath": tags.RPATH in dynamic or tags.RUNPATH in dynamic,
        "wx": any(
            segment.type == types.LOAD
            and segment.has(lief.ELF.Segment.FLAGS.W)
            and segment.has(lief.ELF.Segment.FLAGS.X)
            for segment in binary.segments
        ),
        "stripped": not any(
            section.name == ".symtab" or section.name.startswith(".debug")
            for section in binary.sections
        ),
    }


def pe(binary):
    machines = {
        lief.PE.Header.MACHINE_TYPES.AMD64: X64,
        lief.PE.Header.MACHINE_TYPES.ARM64: ARM64,
    }
    has = binary.optional_header.has
    flags = lief.PE.OptionalHeader.DLL_CHARACTERISTICS
    exported = binary.get_export()
    section_flags = lief.PE.Section.CHARACTERISTICS
    writes, executes = section_flags.MEM_WRITE, section_flags.MEM_EXECUTE
    return {
        "format": "PE",
        "machine": machines.get(binary.header.machine, str(binary.header.machine)),
        "libraries": [library.name for library in binary.imports],
        "exports": sorted(entry.name for entry in exported.entries) if exported else [],
        "crates": crates(binary),
        "rpath": False,
        "wx": any(
            section.has_characteristic(writes) and section.has_characteristic(executes)
            for section in binary.sections
        ),
        "aslr": has(flags.DYNAMIC_BASE) and has(flags.HIGH_ENTROPY_VA),
        "nx": has(flags.NX_COMPAT),
        "stripped": binary.header.numberof_symbols == 0,
    }


def macho(fat):
    if len(fat) != 1:
        return {"format": "Mach-O", "machine": f"{len(fat)} machines"}
    binary = fat.at(0)
    cpus, flags = lief.MachO.Header.CPU_TYPE, lief.MachO.Header.FLAGS
    machines = {cpus.X86_64: X64, cpus.ARM64: ARM64}
    own = binary.get(lief.MachO.LoadCommand.TYPE.ID_DYLIB)
    least = binary.build_version.minos if binary.has_build_version else binary.version_min.version
    return {
        "format": "Mach-O",
        "machine": machines.get(binary.header.cpu_type, str(binary.header.cpu_type)),
        "libraries": [each.name for each in binary.libraries if own is None or each.name != own.name],
        "exports": sorted(
            {symbol.name.removeprefix("_") for symbol in binary.symbols if symbol.has_export_info}
            - OF_LINKER
        ),
        "crates": crates(binary),
        "nx": flags.ALLOW_STACK_EXECUTION not in binary.header.flags_list,
        "rpath": binary.has_rpath,
        "wx": any(segment.init_protection & 6 == 6 for segment in binary.segments),
        # N_STAB: entries for debuggers.
        "stripped": not any(symbol.raw_type & 0xE0 for symbol in binary.symbols),
        "signed": binary.has_code_signature,
        "system": ".".join(map(str, least[:2])),
    }


def facts(path):
    if lief.is_elf(path):
        return elf(lief.ELF.parse(path))
    if lief.is_pe(path):
        return pe(lief.PE.parse(path))
    if lief.is_macho(path):
        return macho(lief.MachO.parse(path))
    return {"format": "unknown"}


print(json.dumps([facts(path) for path in sys.argv[1:]]))
