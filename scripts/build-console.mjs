// `npm run build:console`: builds the console into `gateway/console/`, which the gateway serves. After an install it runs by itself
// (`--after-install`), and then never makes the install fail: without the console the gateway runs, and says how to build it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const isAfterInstall = process.argv.includes('--after-install')
const root = join(import.meta.dirname, '..')
const vite = join(root, 'node_modules/vite/bin/vite.js')
/** What the page loads before it can be used, compressed. */
const mostBytes = 350 * 1024

if (!existsSync(vite)) {
  console.error('The console is not built: its tools are not installed. `npm install` with development dependencies brings them.')
  process.exit(isAfterInstall ? 0 : 1)
}
const { status } = spawnSync(process.execPath, [vite, 'build', '--logLevel', isAfterInstall ? 'error' : 'info'], {
  cwd: join(root, 'console'),
  stdio: 'inherit',
})
if (status !== 0) process.exit(isAfterInstall ? 0 : 1)

const { gzipSync } = await import('node:zlib')
const { readdirSync, readFileSync } = await import('node:fs')
const assets = join(root, 'gateway/console/assets')
const page = readFileSync(join(root, 'gateway/console/index.html'), 'utf8')
const sizes = readdirSync(assets).map((name) => ({ name, bytes: gzipSync(readFileSync(join(assets, name))).length }))
const sum = (files) => files.reduce((total, { bytes }) => total + bytes, 0)
const bytes = sum(sizes.filter(({ name }) => page.includes(name)))
const kilobytes = (count) => Math.ceil(count / 1024)
console.log(
  `console: ${kilobytes(bytes)} of ${mostBytes / 1024} KB compressed, and ${kilobytes(sum(sizes) - bytes)} KB when they are needed`,
)
if (bytes > mostBytes && !isAfterInstall) process.exit(1)
