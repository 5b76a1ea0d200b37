/** `${env:NAME}`, `${input:id}`, `$NAME` and the other ways clients refer to what is not in their file. Pure. */
import { basename } from 'node:path'
import type { Client } from './clients.ts'

export type ClientPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | undefined }
  /** What the client asks the person for. */
  | { readonly kind: 'input'; readonly id: string }
  | { readonly kind: 'file'; readonly path: string }
  /** Something only the client knows. */
  | { readonly kind: 'unknown'; readonly source: string }

export interface Surroundings {
  readonly home: string
  /** Folder of the project a file belongs to. */
  readonly project: string | undefined
  readonly references: Client['references']
}

const patterns: Readonly<Record<Client['references'], RegExp>> = {
  none: /\$\{([^{}]*)\}/g,
  dollar: /\$\{([^{}]*)\}|\$([A-Za-z_]\w*)/g,
  braces: /\$\{([^{}]*)\}|\{((?:env|file):[^{}]*)\}/g,
}

/** The parts of a value, texts beside each other joined. */
export function clientParts(value: string, around: Surroundings): readonly ClientPart[] {
  const parts: ClientPart[] = []
  let plain = ''
  let end = 0
  const flush = (): void => {
    if (plain !== '') parts.push({ kind: 'text', text: plain })
    plain = ''
  }
  for (const match of value.matchAll(patterns[around.references])) {
    plain += value.slice(end, match.index)
    end = match.index + match[0].length
    const part = partOf(match[1] ?? match[2] ?? '', match[0], around)
    if (part.kind === 'text') {
      plain += part.text
    } else {
      flush()
      parts.push(part)
    }
  }
  plain += value.slice(end)
  flush()
  return parts
}

function partOf(inner: string, source: string, { home, project }: Surroundings): ClientPart {
  if (['userHome', 'HOME', 'env:HOME', 'env:USERPROFILE', 'USERPROFILE'].includes(inner)) return { kind: 'text', text: home }
  if (inner === 'pathSeparator' || inner === '/') return { kind: 'text', text: '/' }
  if (/^workspaceFolder(?::.*)?$/.test(inner)) return project === undefined ? { kind: 'unknown', source } : { kind: 'text', text: project }
  if (inner === 'workspaceFolderBasename')
    return project === undefined ? { kind: 'unknown', source } : { kind: 'text', text: basename(project) }
  if (inner.startsWith('input:')) return { kind: 'input', id: inner.slice('input:'.length) }
  if (inner.startsWith('file:')) return { kind: 'file', path: inner.slice('file:'.length) }
  const [, name, fallback] = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/.exec(inner) ?? []
  return name === undefined ? { kind: 'unknown', source } : { kind: 'variable', name, fallback }
}
