/**
 * From the command an administrator wrote to what is really executed and which host paths it needs to be read.
 * It must never start anything, and never widen what a server sees to a folder that holds the gateway's own secrets.
 */
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, join, resolve, sep } from 'node:path'
import { fetchingCommand, insteadOf } from '../../config/fetching-commands.ts'
import { TurnwardError } from '../../core/error.ts'
import { shownOf } from './code-folder.ts'
import { interpretedCommand, type Runtime } from './interpreted-command.ts'
import { pythonProgram } from './python-environment.ts'

export interface CommandPlaces {
  /** The gateway's own Node, used for `node`. */
  readonly nodePath: string
  /** Folder of the gateway's own code; a script inside it (a shipped server) may read the whole folder. */
  readonly gatewayRoot: string | undefined
  /** Host paths no server may see: the data folder, the working folder, configuration files. */
  readonly protect: readonly string[]
}

export interface ServerCommand {
  /** Absolute path of the executable, without links, but for the one that is the interpreter of a Python environment. */
  readonly executable: string
  readonly args: readonly string[]
  /** True when the executable is the gateway's own Node. */
  readonly isNode: boolean
  /** Absolute, real path of the script that is run, if the command names one. */
  readonly script: string | undefined
  /** Host paths (files and folders) the program needs to be read; no path contains another. */
  readonly code: readonly string[]
}

const searchPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * Resolves a command without a shell; relative paths start at the gateway's working directory. Errors: `mcp.server_unavailable` when the executable is missing or is a
 * package runner, which would download code at start and needs a network the sandbox does not have.
 */
export function resolveCommand(server: string, command: readonly string[], places: CommandPlaces, runtime?: Runtime): ServerCommand {
  const [name = '', ...rest] = interpretedCommand(server, command, runtime)
  const fetching = fetchingCommand(command)
  if (fetching !== undefined) {
    throw new TurnwardError('mcp.server_unavailable', {
      subject: server,
      why: `\`${fetching.program}\` fetches code when the server starts, which the runner does not allow`,
      fix: `Instead: ${insteadOf(fetching, server)}`,
    })
  }
  const isNode = name === 'node'
  const program = isNode ? { executable: realpathSync(places.nodePath), folders: [] } : findExecutable(server, name, places, runtime)
  const { executable } = program
  const scriptIndex = rest.findIndex((argument) => !argument.startsWith('-'))
  const script = findScript(rest[scriptIndex])
  if (isNode && script === undefined) refuseMissingScript(server, rest[scriptIndex], rest)
  const args = script === undefined ? rest : rest.with(scriptIndex, script)
  const code = outermost([...program.folders, ...(script === undefined ? [] : scriptFolders(server, script, places))])
  return { executable, args, isNode, script, code }
}

/** Paths of which one that cannot be read means that the program does not start: it, its script, its packages, and the folders on the way. */
export function mustBeRead({ code, executable, script }: ServerCommand): string[] {
  const files = script === undefined ? [executable] : [executable, script]
  const onTheWay = files.flatMap((file) => {
    const shown = code.find((path) => contains(path, file))
    const folders: string[] = []
    for (let path = file; shown !== undefined && contains(shown, path); path = dirname(path)) folders.push(path)
    return folders
  })
  return [...new Set([...files, ...onTheWay, ...code.filter((path) => basename(path) === 'node_modules')])]
}

/** The first executable file of this name on the fixed search path, or `undefined`. */
export function findProgram(name: string): string | undefined {
  return searchPath.map((folder) => join(folder, name)).find(isExecutable)
}

/** The search path programs inside a sandbox get. */
export const programPath = searchPath.join(delimiter)

/** True when `inner` is `outer` or lies below it. Both absolute and normalised. */
export function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

/** The paths that are not below another one of the list. */
export function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)]
  return unique.filter((path) => !unique.some((other) => other !== path && contains(other, path)))
}

/** Its path, and what it needs to be read: itself, or the Python environment it belongs to. */
function findExecutable(
  server: string,
  name: string,
  places: CommandPlaces,
  runtime: Runtime | undefined,
): { executable: string; folders: readonly string[] } {
  const found = name.includes('/') ? resolve(name) : findProgram(name)
  if (found === undefined || !isExecutable(found)) {
    throw new TurnwardError('mcp.server_unavailable', {
      subject: server,
      why: `the executable \`${basename(name)}\` was not found`,
      fix: 'Name it by its absolute path.',
    })
  }
  const python = runtime === 'binary' ? undefined : pythonProgram(found)
  const shared = [...(python?.folders ?? []), ...(python?.sources ?? [])].find((folder) => isShared(folder, places.protect))
  if (python !== undefined && shared === undefined) {
    const sources = python.sources.flatMap((path) =>
      statSync(path).isDirectory() ? shownOf(server, path, (inner) => places.protect.includes(inner)) : [path],
    )
    return { executable: python.executable, folders: [...python.folders, ...sources] }
  }
  if (shared !== undefined)
    throw new TurnwardError('mcp.server_unavailable', {
      subject: server,
      why: `its Python, or a package of it, is installed in ${shared}, which holds more than the server may see`,
      fix: 'Make the environment of the server in a folder of its own, with a Python that is installed in one.',
    })
  const executable = realpathSync(found)
  return { executable, folders: [executable] }
}

/** Told here in one sentence, because Node would tell it in a stack trace, once per restart. */
function refuseMissingScript(server: string, argument: string | undefined, args: readonly string[]): void {
  const evaluates = args.some((other) => /^(?:-e|--eval|-p|--print|--import=data:)/.test(other))
  if (argument === undefined || evaluates || !argument.includes('/')) return
  throw new TurnwardError('mcp.server_unavailable', {
    subject: server,
    why: `its script does not exist: ${argument}`,
    fix: 'Install the package of the server, or correct `command`.',
  })
}

function findScript(argument: string | undefined): string | undefined {
  if (argument === undefined) return undefined
  try {
    // Real path: a link in node_modules/.bin must lead to a place that is bound.
    const path = realpathSync(resolve(argument))
    return statSync(path).isFile() ? path : undefined
  } catch {
    // Not a file: a module name, or the code of `node -e`.
    return undefined
  }
}

/**
 * What a script needs to be read: its node_modules when it is an installed package; else what `shownOf` shows of its own
 * folder (of a folder it shares with the gateway's files, itself alone), the nearest package.json (which decides between ESM and CommonJS) and the node_modules folders above it.
 */
function scriptFolders(server: string, script: string, places: CommandPlaces): string[] {
  const segments = script.split(sep)
  const installed = segments.indexOf('node_modules')
  if (installed > 0) return [segments.slice(0, installed + 1).join(sep)]
  const candidates = [
    ...(places.gatewayRoot !== undefined && contains(places.gatewayRoot, script) ? [places.gatewayRoot] : []),
    dirname(script),
  ]
  const own = candidates.find((folder) => !isShared(folder, places.protect))
  const found = [script, ...(own === undefined ? [] : shownOf(server, own, (path) => places.protect.includes(path)))]
  let manifest = false
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    if (!manifest && existsSync(join(folder, 'package.json'))) {
      found.push(join(folder, 'package.json'))
      manifest = true
    }
    if (existsSync(join(folder, 'node_modules'))) found.push(realpathSync(join(folder, 'node_modules')))
    if (folder === dirname(folder)) return found
  }
}

/** A folder that holds more than the server's code: the file system root, a home folder, or something protected. */
function isShared(folder: string, protect: readonly string[]): boolean {
  return dirname(folder) === folder || contains(folder, homedir()) || folder === '/tmp' || protect.some((path) => contains(folder, path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
