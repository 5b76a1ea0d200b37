/** The documents that servers of a configuration are read from, and the APIs they describe. */
import { resolve } from 'node:path'
import type { Config } from '@turnward/contract/config'
import { BoundedMap } from '../../core/bounded-map.ts'
import { sha256 } from '../../core/hash.ts'
import type { Disk } from '../disk.ts'
import { nodeAt, type MapNode } from '../locate.ts'
import type { ReportAt } from '../problems.ts'
import type { Api } from './api.ts'
import { compileApi } from './compile-api.ts'
import { maxDocumentBytes, readDocument, type ApiDocument } from './document.ts'

/** Server -> its document, or why there is none. */
export type ServerDocuments = ReadonlyMap<string, ApiDocument | string>

/** A configuration is read again whenever one of its files changes; its documents hardly ever do. By the digest of their text. */
const parsed = new BoundedMap<string, ApiDocument | string>({ most: 16, maxBytes: 2 * maxDocumentBytes })

/** Reads the document of each server that has one. `base`: the folder that paths are relative to; `inputs` receives what was read. */
export async function readServerDocuments(
  root: MapNode,
  base: string,
  { disk, inputs }: { readonly disk: Disk; readonly inputs: Set<string> },
): Promise<ServerDocuments> {
  const documents = new Map<string, ApiDocument | string>()
  const servers = nodeAt(root, ['servers'])
  if (servers?.kind !== 'map') return documents
  for (const name of servers.entries.keys()) {
    const [transport, document] = ['transport', 'document'].map((key) => nodeAt(servers, [name, key]))
    if (transport?.kind !== 'scalar' || transport.value !== 'openapi') continue
    // Anything but a path is left to the schema, which refuses it with the right words.
    if (document?.kind !== 'scalar' || typeof document.value !== 'string' || document.broken || document.value === '') continue
    const path = resolve(base, document.value)
    inputs.add(path)
    documents.set(name, await readAt(path, disk))
  }
  return documents
}

async function readAt(path: string, disk: Disk): Promise<ApiDocument | string> {
  let text: string
  try {
    text = await disk.text(path, maxDocumentBytes)
  } catch (error) {
    return error instanceof Error ? error.message : 'cannot be read'
  }
  const key = sha256(text)
  const before = parsed.get(key)
  if (before !== undefined) return before
  const document = readDocument(text)
  parsed.set(key, document, { size: text.length })
  return document
}

/** The APIs of a valid configuration. What is wrong with one is reported, and it is missing. */
export function compileApis({ servers }: Pick<Config, 'servers'>, documents: ServerDocuments, report: ReportAt): ReadonlyMap<string, Api> {
  const apis = new Map<string, Api>()
  for (const [name, server] of Object.entries(servers)) {
    if (server.transport !== 'openapi') continue
    const document = documents.get(name) ?? 'was not read'
    if (typeof document === 'string') {
      report(['servers', name, 'document'], `the document ${document}`)
      continue
    }
    const api = compileApi(server, document)
    if ('base' in api) apis.set(name, api)
    else for (const { path, message, where } of api) report(['servers', name, ...path], message, where === undefined ? {} : { where })
  }
  return apis
}
