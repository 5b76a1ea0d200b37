/**
 * `npm run build`: bundles the gateway and everything it imports into `gateway/dist/`, the form that is published and
 * that the bench measures. `node scripts/build.ts <folder>` writes elsewhere, and removes nothing there. Everything lies
 * flat in one folder, because threads and the sandbox's forwarder are found beside the file that starts them.
 */
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { rolldown, type OutputChunk, type Plugin, type RolldownLog } from 'rolldown'

const source = join(import.meta.dirname, '../gateway/src')
const elsewhere = process.argv[2]
const folder = elsewhere ?? join(import.meta.dirname, '../gateway/dist')

/** Programs that share code with each other: the command line, and every thread it starts. */
const programs = ['cli/main.ts', ...globSync('**/*-worker.ts', { cwd: source })]
/** Run inside the sandbox as one file, where nothing else is: the forwarder, and the server of the demo. */
const alone = ['tools/runners/egress-forwarder.ts', '../demo/mail-server.ts']

/**
 * Importing `node:http` as a module reads every property of it, and reading `WebSocket` loads Node's own fetch: 14 MB
 * that nothing here uses. As a CommonJS module its properties are read when they are used.
 */
const lazyHttp: Plugin = {
  name: 'lazy-http',
  resolveId: { filter: { id: /^(?:node:)?http$/ }, handler: () => '\0http' },
  load: { filter: { id: /^\0http$/ }, handler: () => "module.exports = process.getBuiltinModule('node:http')" },
}

const problems: string[] = []
const chunks = await bundle(programs, true)
for (const entry of alone) {
  const [only, ...others] = await bundle([entry], false)
  if (only === undefined || others.length > 0 || only.imports.some((name) => !name.startsWith('node:')))
    problems.push(`${entry} is not one file that imports only Node`)
  else chunks.push(only)
}

for (const { fileName, code } of chunks.toSorted((a, b) => b.code.length - a.code.length)) {
  process.stdout.write(`${(Buffer.byteLength(code) / 1024).toFixed(1).padStart(8)} kB  ${join(folder, fileName)}\n`)
}
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

async function bundle(entries: readonly string[], isFirst: boolean): Promise<OutputChunk[]> {
  await using build = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [basename(entry, '.ts'), join(source, entry)])),
    platform: 'node',
    external: /^node:(?!http$)/,
    plugins: [lazyHttp],
    onLog: (level, log, report) => {
      if (log.code === 'UNRESOLVED_IMPORT' || log.code === 'MISSING_EXPORT') problems.push(messageOf(log))
      else if (level === 'warn') report('warn', log)
    },
  })
  const { output } = await build.write({
    dir: folder,
    cleanDir: isFirst && elsewhere === undefined,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // One character outside Latin-1 makes V8 hold a whole file in two bytes a character.
    charset: 'ascii',
    // Names of functions and classes stay, so that a stack trace says where it was without the maps. Nothing loads the
    // maps; they are for debuggers and profiles.
    minify: { compress: { keepNames: { function: true, class: true } }, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
    sourcemap: 'hidden',
  })
  return output.filter((part) => part.type === 'chunk')
}

function messageOf({ message, id }: RolldownLog): string {
  return id === undefined ? message : `${id}: ${message}`
}
