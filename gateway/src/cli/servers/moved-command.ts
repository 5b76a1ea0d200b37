/** The command of a server that is started from another folder: its program moves, what was added to it stays. Pure. */
import { isAbsolute } from 'node:path'

export interface MovedCommand {
  /** As it is written in the configuration. */
  readonly written: readonly string[]
  /** The same with paths absolute. */
  readonly command: readonly string[]
  /** Absolute folder it runs from. */
  readonly folder: string
  /** What starts the other version, without arguments; paths absolute. */
  readonly program: readonly string[]
  /** A path as the configuration has it. */
  readonly shown: (path: string) => string
}

/** Undefined when the command runs nothing of the folder. */
export function movedCommand({ written, command, folder, program, shown }: MovedCommand): readonly string[] | undefined {
  const at = command.findIndex((part) => part.startsWith(`${folder}/`))
  if (at < 0) return undefined
  // An interpreter of an environment runs a module of it.
  const isModule = at === 0 && command[1] === '-m'
  const rest = written.slice(isModule ? 3 : at + 1)
  const moved = program.map((part) => (isAbsolute(part) ? shown(part) : part))
  const own = program.findIndex((part) => isAbsolute(part))
  // What stands before the script are options of its interpreter.
  return at > 0 && own > 0 ? [...written.slice(0, at), ...moved.slice(own), ...rest] : [...moved, ...rest]
}
