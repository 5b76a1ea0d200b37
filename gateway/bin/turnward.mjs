#!/usr/bin/env node
// Starts Turnward on the Node it is pinned to. `npx` and `npm run` already put that one first on the path;
// called directly under an older Node, this hands over to it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 24 || (major === 24 && minor < 12)) {
  const pinned = pinnedNode()
  if (pinned === undefined) {
    process.stderr.write('turnward: needs Node 24.12 or newer, and the pinned one is not installed. Run `npm ci` first.\n')
    process.exit(70)
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 70))
} else {
  // A named import would not link on a Node that lacks it, and then nobody could hand over.
  module.enableCompileCache?.()
  // In a checkout the sources, so that an edit counts at once; where only the build is, the build.
  const source = join(here, '../src/cli/main.ts')
  await import(existsSync(source) ? source : join(here, '../dist/main.js'))
}

function pinnedNode() {
  try {
    const require = createRequire(import.meta.url)
    const folder = dirname(require.resolve('node/package.json'))
    return [join(folder, 'bin/node'), join(folder, 'bin/node.exe')].find((path) => existsSync(path))
  } catch {
    return undefined
  }
}
