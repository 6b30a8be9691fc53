// npm run cross: builds the native part for other platforms, and runs it as far as this machine
// can. `npm run cross -- windows macos` handles only the targets named. Needs Debian 12 on x86-64
// with root rights, Node and Rust. It installs everything else as packages; its downloads and
// builds go below target/cross/.

import arm64 from './cross/arm64.mjs';
import debian11 from './cross/debian11.mjs';
import macos from './cross/macos.mjs';
import { musl, muslArm64 } from './cross/musl.mjs';
import { installPackages } from './cross/tools.mjs';
import windows from './cross/windows.mjs';
import { ensureDependencies } from './lib/ensure.mjs';
import { main } from './lib/run.mjs';
import { chosen, commandLine } from './lib/usage.mjs';

const TARGETS = { windows, macos, debian11, musl, arm64, 'musl-arm64': muslArm64 };

await main(async () => {
  const { positionals } = commandLine({ allowPositionals: true });
  const names = chosen('target', positionals, Object.keys(TARGETS));
  await ensureDependencies();
  const lines = [];
  for (const name of names) {
    const { triple, architectures = [], packages, show } = TARGETS[name];
    console.log(`\n== ${triple}`);
    await installPackages(packages, architectures);
    const started = Date.now();
    for (const shown of await show(triple)) lines.push(`${triple}: ${shown}`);
    console.log(`${Math.round((Date.now() - started) / 1000)} s`);
  }
  console.log(['', 'Shown:', ...lines].join('\n'));
});
