/** What a person asks to have installed: `npm:@scope/name@1.2.3`, `pypi:name==1.2.3`. Only registries, never addresses or files. */
import { TurnwardError } from '../../core/error.ts'

export interface PackageReference {
  readonly registry: 'npm' | 'pypi'
  readonly name: string
  /** An exact version, or a tag of npm; undefined: the newest. */
  readonly version: string | undefined
}

const npmPackage = /^((?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*)(?:@([\w][\w.+-]*))?$/
const pypiPackage = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:(?:==|@)([\w][\w.+!-]*))?$/

/** Throws `request.invalid`. */
export function parsePackage(text: string): PackageReference {
  const [registry = '', ...rest] = text.split(':')
  const spec = rest.join(':')
  const match = registry === 'npm' ? npmPackage.exec(spec) : registry === 'pypi' ? pypiPackage.exec(spec) : null
  if (match?.[1] === undefined || (registry !== 'npm' && registry !== 'pypi'))
    throw new TurnwardError('request.invalid', {
      subject: text,
      why: 'it names no package of a registry',
      fix: 'Write `npm:NAME` or `pypi:NAME`, with one exact version behind it (`npm:NAME@1.2.3`) or none for the newest.',
    })
  return { registry, name: match[1], version: match[2] }
}

export function packageText({ registry, name, version }: PackageReference): string {
  return `${registry}:${name}${version === undefined ? '' : `@${version}`}`
}

/** A name for a server from that of its package: `@modelcontextprotocol/server-filesystem` is `filesystem`. */
export function serverNameOf(packageName: string): string {
  const plain = packageName.replace(/^@[^/]*\//, '').toLowerCase()
  const short = plain.replace(/^(?:mcp-server-|server-mcp-|server-|mcp-)/, '').replace(/(?:-mcp-server|-server-mcp|-server|-mcp)$/, '')
  return usableName(/^[a-z0-9]/.test(short) ? short : plain)
}

/** The text as the name of a server may be: letters, digits, `-`, single `_`, at most 31. */
export function usableName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replaceAll(/_{2,}/g, '_')
    .replace(/^[-_]+/, '')
    .slice(0, 31)
    .replace(/[-_]+$/, '')
  return name === '' ? 'server' : name
}
