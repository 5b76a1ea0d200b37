/** What a draft says of itself while it is written: what is wrong at which line, and what of it can be kept over the API. Pure but for reading the draft. */
import type { draftCheckSchema } from '@turnward/contract/api/policy'
import type { z } from 'zod'
import { objectKinds, type ObjectKind } from '../../config/managed/kinds.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { readSentDraft } from './sent-draft.ts'
import { shortFile } from './where-lines-stand.ts'

type DraftCheck = z.input<typeof draftCheckSchema>

/** Sections that are no part of what a draft changes. */
const ofTheDraft: ReadonlySet<string> = new Set(['version', 'include'])
const mostProblems = 100

/** Throws `request.invalid` where no file runs. */
export async function checkDraft(running: Snapshot, text: string): Promise<DraftCheck> {
  const { path, says, problems } = await readSentDraft(running, text)
  const kept = keptOf(says ?? {})
  return {
    compiles: problems.length === 0,
    problems: problems.slice(0, mostProblems).map(({ code, message, path: at, file, line, column, suggestion }) => ({
      code,
      message,
      path: at,
      file: file === path ? null : shortFile(running.files, file),
      line,
      column,
      ...(suggestion === undefined ? {} : { suggestion }),
    })),
    ...(problems.length === 0 ? kept : { objects: {}, notHeld: [] }),
  }
}

function keptOf(says: JsonObject): Pick<DraftCheck, 'objects' | 'notHeld'> {
  const objects: Record<string, Record<string, JsonObject | JsonValue[]>> = {}
  const notHeld: { section: string; why: string }[] = []
  for (const [section, value] of Object.entries(says)) {
    if (ofTheDraft.has(section) || value === undefined) continue
    const kind = objectKinds.find(({ path }) => path.length === 1 && path[0] === section)
    if (kind === undefined) notHeld.push({ section, why: 'it is set in the configuration file only' })
    else if (kind.form === 'list') notHeld.push({ section, why: 'it has no names in a file: make it in the configuration of the console' })
    else objects[section] = named(kind, value)
  }
  return { objects, notHeld }
}

/** A draft that compiles has names where its kind has them. */
function named({ form }: ObjectKind, value: JsonValue): Record<string, JsonObject | JsonValue[]> {
  const entries = form === 'map' && isObject(value) ? Object.entries(value) : []
  const items = form === 'named' && Array.isArray(value) ? value.filter(isObject) : []
  const ofList = items.map(({ name, ...rest }) => [typeof name === 'string' ? name : '', rest] as const)
  return Object.fromEntries([...entries, ...ofList].flatMap(([name, one]) => (isObject(one) || Array.isArray(one) ? [[name, one]] : [])))
}
