/** The configuration entry of an installed server, from what the person asked for. Pure, but for the folder it is run in. */
import { isAbsolute, resolve } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import { shownPath } from './edited-config.ts'

export interface ServerEntry {
  readonly transport: 'stdio'
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly mounts?: readonly { readonly path: string; readonly write?: true }[]
  /** Hosts, and TCP services by their own name. */
  readonly network?: readonly (string | { readonly tcp: string })[]
  readonly installed?: { readonly package: string; readonly tree: string }
}

export interface EntryWishes {
  readonly args: readonly string[]
  /** `PATH`, `PATH:ro` or `PATH:rw`. */
  readonly mounts: readonly string[]
  /** `HOST`, `HOST:PORT`, or `tcp:HOST:PORT`. */
  readonly network: readonly string[]
  /** `NAME`, for the variable of that name, or `NAME=VALUE`. */
  readonly env: readonly string[]
}

/** `main`: the configuration file; paths that begin with a dot are meant from the folder the command is run in. */
export function serverEntry(main: string, program: readonly string[], wishes: EntryWishes): ServerEntry {
  const mounts = wishes.mounts.map((text) => mountOf(main, text))
  const env = Object.fromEntries(wishes.env.map(variableOf))
  return {
    transport: 'stdio',
    command: [
      ...program.map((part) => (isAbsolute(part) ? shownPath(main, part) : part)),
      ...wishes.args.map((arg) => argumentOf(main, arg)),
    ],
    ...(wishes.env.length === 0 ? {} : { env }),
    ...(mounts.length === 0 ? {} : { mounts }),
    ...(wishes.network.length === 0 ? {} : { network: wishes.network.map(destinationOf) }),
  }
}

/** Folders and files that arguments name and no mount shows. */
export function unseenArguments(args: readonly string[], mounts: readonly string[], exists: (path: string) => boolean): readonly string[] {
  const seen = mounts.map((text) => resolve(mountPath(text)))
  return args.filter((arg) => {
    if (!isAbsolute(arg) && !isDotted(arg)) return false
    const path = resolve(arg)
    return exists(path) && !seen.some((folder) => path === folder || path.startsWith(`${folder}/`))
  })
}

function mountPath(text: string): string {
  return text.replace(/:r[ow]$/, '')
}

function mountOf(main: string, text: string): { path: string; write?: true } {
  return { path: shownPath(main, resolve(mountPath(text))), ...(text.endsWith(':rw') ? { write: true } : {}) }
}

function destinationOf(text: string): string | { tcp: string } {
  return text.startsWith('tcp:') ? { tcp: text.slice('tcp:'.length) } : text
}

function argumentOf(main: string, arg: string): string {
  return isDotted(arg) ? shownPath(main, resolve(arg)) : arg
}

function isDotted(arg: string): boolean {
  return /^\.\.?(?:\/|$)/.test(arg)
}

function variableOf(text: string): [string, string] {
  const [name = '', ...value] = text.split('=')
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new TurnwardError('request.invalid', { subject: '--env', why: 'it is not `NAME` or `NAME=VALUE`' })
  return [name, value.length === 0 ? `\${${name}}` : value.join('=')]
}
