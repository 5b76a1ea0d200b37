/**
 * Commands that fetch a server when they start it (`npx`, `uvx`, `docker run`): what they would fetch, and the line that
 * installs it instead. Nothing is fetched at a start here, because then nobody knows what will run.
 */
import { basename } from 'node:path'

export interface FetchingCommand {
  /** As it was written: `npx`, `uv tool run`. */
  readonly program: string
  /** What `turnward servers add` takes, such as `npm:@scope/name@1.2.3`; undefined when it is no package of a registry. */
  readonly package: string | undefined
  /** The program of the package, where the command names another than the package's own. */
  readonly bin: string | undefined
  readonly args: readonly string[]
  /** Names of the options before the package, as they were written: some decide what is fetched, and from where. */
  readonly options: readonly string[]
}

interface Kind {
  readonly registry: 'npm' | 'pypi' | 'image'
  /** Options that name the package, of which the first argument is then a program. */
  readonly from: ReadonlySet<string>
  /** Options that take a value and do not matter here. */
  readonly valued: ReadonlySet<string>
}

const npm: Kind = {
  registry: 'npm',
  from: new Set(['-p', '--package']),
  valued: new Set(['--registry', '--cache', '--loglevel', '--prefix']),
}
const pypi: Kind = {
  registry: 'pypi',
  from: new Set(['--from', '--spec']),
  valued: new Set([
    '--python',
    '-p',
    '--with',
    '--index-url',
    '--extra-index-url',
    '--index',
    '--default-index',
    '--directory',
    '--pip-args',
  ]),
}
const image: Kind = { registry: 'image', from: new Set(), valued: new Set() }

/** Longest first. */
const programs: readonly (readonly [readonly string[], Kind])[] = [
  [['uv', 'tool', 'run'], pypi],
  [['pnpm', 'dlx'], npm],
  [['yarn', 'dlx'], npm],
  [['npm', 'exec'], npm],
  [['npm', 'x'], npm],
  [['bun', 'x'], npm],
  [['pipx', 'run'], pypi],
  [['docker', 'run'], image],
  [['podman', 'run'], image],
  [['docker', 'container', 'run'], image],
  [['npx'], npm],
  [['pnpx'], npm],
  [['bunx'], npm],
  [['uvx'], pypi],
]

/** Programs of which every other use at a start is refused too. */
const managers: ReadonlySet<string> = new Set(['npm', 'pnpm', 'yarn', 'docker', 'podman', 'pipx'])

/** Undefined for a command that runs what is there. */
export function fetchingCommand(command: readonly string[]): FetchingCommand | undefined {
  const own = withoutShell(command)
  const [first = '', ...others] = own
  const words = [programName(first), ...others]
  for (const [program, kind] of programs) {
    if (!program.every((word, index) => words[index] === word)) continue
    return { program: program.join(' '), ...fetchedBy(words.slice(program.length), kind) }
  }
  return managers.has(words[0] ?? '') ? { program: words[0] ?? '', package: undefined, bin: undefined, args: [], options: [] } : undefined
}

/** The command line that installs it, or what to do where there is none. Arguments are not repeated: there are secrets among them. */
export function insteadOf({ program, package: reference, bin, args }: FetchingCommand, name: string): string {
  if (reference !== undefined)
    return `turnward servers add ${addArguments({ name, reference, bin, args: args.length === 0 ? [] : ['…'] })
      .map(quoted)
      .join(' ')}`
  return program.startsWith('docker') || program.startsWith('podman')
    ? 'name its image with `runner: docker` and `docker: { image: … }`, install the package inside it with `turnward servers add npm:NAME` or `pypi:NAME`, or run the image yourself and name its address with `transport: http`'
    : 'install the server in a folder of its own and name its entry script, or add it with `turnward servers add npm:NAME` or `pypi:NAME`'
}

/** Arguments of `servers add`, in the order people read them. */
export function addArguments(of: {
  readonly name: string
  readonly reference: string
  readonly bin?: string | undefined
  readonly args: readonly string[]
  readonly options?: readonly string[]
}): string[] {
  const { name, reference, bin, args, options = [] } = of
  const chosen = bin === undefined ? [] : ['--bin', bin]
  return [reference, '--name', name, ...chosen, ...options, ...(args.length === 0 ? [] : ['--', ...args])]
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./…-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** `cmd /c npx …`, which clients on Windows need. */
export function withoutShell(command: readonly string[]): readonly string[] {
  return programName(command[0] ?? '') === 'cmd' && command[1]?.toLowerCase() === '/c' ? command.slice(2) : command
}

/** What a program is called, without its folder and the endings of Windows. */
export function programName(path: string): string {
  return basename(path.replaceAll('\\', '/')).replace(/\.(?:exe|cmd|ps1|bat)$/i, '')
}

function fetchedBy(words: readonly string[], kind: Kind): Omit<FetchingCommand, 'program'> {
  if (kind.registry === 'image') return { package: undefined, bin: undefined, args: [], options: [] }
  const options: string[] = []
  let named: string | undefined
  let index = 0
  for (; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (word === '--') continue
    if (!word.startsWith('-')) break
    const [option = '', ...value] = word.split('=')
    options.push(option)
    if (kind.from.has(option)) named = value.length > 0 ? value.join('=') : words[(index += 1)]
    else if (kind.valued.has(word)) index += 1
  }
  const rest = words.slice(index)
  const args = rest.slice(1)
  const spec = named ?? rest[0]
  if (spec === undefined) return { package: undefined, bin: undefined, args: [], options }
  const reference = referenceOf(spec, kind.registry)
  return { package: reference, bin: named === undefined || rest[0] === bare(spec) ? undefined : rest[0], args, options }
}

const npmSpec = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*(?:@[\w.+-]+)?$/i
const pypiSpec = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?:\[[\w,.-]*\])?(?:(?:==|@)[\w.+!-]+)?$/i

/** Git addresses, files and ranges are packages of no registry, or of no one version. */
function referenceOf(spec: string, registry: 'npm' | 'pypi'): string | undefined {
  if (!(registry === 'npm' ? npmSpec : pypiSpec).test(spec)) return undefined
  // `latest` is what is meant without it, and what is installed is an exact version anyway.
  return `${registry}:${spec
    .replace(/\[.*\]/, '')
    .replace('==', '@')
    .replace(/@latest$/, '')}`
}

function bare(spec: string): string {
  return spec.replace(/(?:\[|==|(?<=.)@).*$/, '')
}
