// What package-lock.json must hold for other platforms than the one it was made on, and the tool that adds it.
//
// npm leaves an optional dependency out of the lock when the registry at hand does not carry it (a mirror that has
// only this platform's builds, say). Such a lock works here, but `npm ci` refuses it ("Missing … from lock file") and
// another platform would install no binary. So each missing one gets a stub: its version and the platform that its
// name tells. npm keeps stubs, and resolves them where the platform matches.
//
//   npm run lock        after adding or updating a dependency: installs, then completes the lock
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const lockFile = fileURLToPath(new URL("../package-lock.json", import.meta.url));

/** Where node's resolution finds `name` from the lock's entry `from`, if anywhere. */
function resolve(packages, from, name) {
  for (let folder = from; ; ) {
    const path = `${folder ? `${folder}/` : ""}node_modules/${name}`;
    if (packages[path]) return path;
    if (!folder) return undefined;
    const parent = folder.lastIndexOf("/node_modules/");
    folder = parent < 0 ? "" : folder.slice(0, parent);
  }
}

/** Every optional dependency that an entry names and the lock does not hold in that version. */
export function missingOptionals(packages) {
  const missing = [];
  for (const [from, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const path = resolve(packages, from, name);
      const exact = /^\d/.test(version);
      if (!path || (exact && packages[path].version !== version)) missing.push({ from, name, version });
    }
  }
  return missing;
}

const OS = { android: "android", darwin: "darwin", freebsd: "freebsd", linux: "linux", openharmony: "openharmony" };
Object.assign(OS, {
  win32: "win32",
  windows: "win32",
  win: "win32",
  netbsd: "netbsd",
  openbsd: "openbsd",
  sunos: "sunos",
});
const CPU = { 64: "x64", arm: "arm", arm64: "arm64", ia32: "ia32", loong64: "loong64", ppc64: "ppc64" };
Object.assign(CPU, { riscv64: "riscv64", s390x: "s390x", x64: "x64" });

/** `@scope/binding-linux-arm-musleabihf` → os, cpu and libc; undefined when the name does not tell. */
export function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = OS[words.find((word) => OS[word])];
  const cpu = CPU[words.find((word) => CPU[word])];
  if (!os || !cpu) return undefined;
  const libc = words.some((w) => w.startsWith("musl"))
    ? "musl"
    : words.some((w) => w.startsWith("gnu") || w === "glibc")
      ? "glibc"
      : undefined;
  return { cpu: [cpu], ...(libc && { libc: [libc] }), optional: true, os: [os] };
}

function complete() {
  const lock = JSON.parse(readFileSync(lockFile, "utf8"));
  const missing = missingOptionals(lock.packages);
  for (const { from, name, version } of missing) {
    const platform = platformOf(name);
    if (!platform) throw new Error(`${name}: cannot tell its platform from its name; add it to ${lockFile} by hand`);
    // At the top unless another version stands there already.
    const top = `node_modules/${name}`;
    lock.packages[lock.packages[top] ? `${from}/node_modules/${name}` : top] = { version, ...platform };
  }
  // npm's own order, so that its next install changes nothing.
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries(sorted);
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} entries for other platforms added`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) complete();
