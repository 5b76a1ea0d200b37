/**
 * A program that is a script, as the command that runs it: its first line says which interpreter it is for. Started by the
 * kernel, such a script would be shown alone, without the packages around it.
 */
import { closeSync, openSync, readSync, realpathSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import { pythonProgram } from './python-environment.ts'

export type Runtime = 'node' | 'python' | 'binary' | 'browser'

/** The kernel reads no more of a first line. */
const longestFirstLine = 256

/**
 * The command itself where it names an interpreter, a binary, or a program of a Python environment, which finds all it needs. Errors:
 * `mcp.server_unavailable` for a program that only finds out which Python to run.
 */
export function interpretedCommand(server: string, command: readonly string[], runtime: Runtime | undefined): readonly string[] {
  const [name = '', ...rest] = command
  // What is found by its name alone lies in folders every sandbox has.
  if (runtime === 'binary' || !name.includes('/')) return command
  const path = realPath(name)
  if (path === undefined || path.startsWith('/usr/')) return command
  const interpreter = interpreterOf(path)
  if (interpreter === undefined && runtime === 'node' && /\.[cm]?js$/.test(path)) return ['node', path, ...rest]
  if (interpreter === undefined && runtime === 'python' && path.endsWith('.py')) return ['python3', path, ...rest]
  const [program = '', ...flags] = interpreter ?? []
  const kind = basename(program)
  if (/(?:^|\/)shims\/[^/]+$/.test(name) && kind === 'bash')
    throw new TurnwardError('mcp.server_unavailable', {
      subject: server,
      why: `${name} is a script of pyenv that looks for the Python to run`,
      fix: 'Name what it finds: `pyenv which python3` tells its path.',
    })
  if (kind === 'node' || kind === 'nodejs') return ['node', ...flags, path, ...rest]
  if (!/^python[\d.]*$/.test(kind) || pythonProgram(resolve(name)) !== undefined) return command
  return [program, ...flags, path, ...rest]
}

/** The words of the first line of a script, without `env`. */
function interpreterOf(path: string): string[] | undefined {
  const line = firstLine(path)
  if (!line.startsWith('#!')) return undefined
  const [program = '', ...rest] = line.slice(2).trim().split(/\s+/)
  if (basename(program) !== 'env') return [program, ...rest]
  return rest[0] === '-S' ? rest.slice(1) : rest
}

function firstLine(path: string): string {
  const buffer = Buffer.alloc(longestFirstLine)
  try {
    const file = openSync(path, 'r')
    try {
      const length = readSync(file, buffer, 0, longestFirstLine, 0)
      return buffer.toString('latin1', 0, length).split('\n')[0] ?? ''
    } finally {
      closeSync(file)
    }
  } catch {
    // What cannot be read is refused where it is looked for as an executable.
    return ''
  }
}

function realPath(name: string): string | undefined {
  try {
    return realpathSync(resolve(name))
  } catch {
    return undefined
  }
}
