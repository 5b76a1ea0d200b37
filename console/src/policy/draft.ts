/** The draft somebody works on, in this browser: it outlives a reload and a look at other pages, and is sent nowhere but to be checked, tried and kept. */
import { useSyncExternalStore } from 'react'

const place = 'turnward.draft'
const before = 'turnward.draft.before'
const listeners = new Set<() => void>()

interface KeptDraft {
  /** Undefined: nobody has begun one. */
  readonly draft: string | undefined
  /** The one that was there before another was begun. */
  readonly before: string | undefined
}

let kept: KeptDraft = { draft: read(place), before: read(before) }

function read(name: string): string | undefined {
  try {
    return sessionStorage.getItem(name) ?? undefined
  } catch {
    return undefined
  }
}

function put(next: KeptDraft): void {
  kept = next
  try {
    for (const [name, text] of [
      [place, next.draft],
      [before, next.before],
    ] as const)
      if (text === undefined) sessionStorage.removeItem(name)
      else sessionStorage.setItem(name, text)
  } catch {
    // A browser that keeps nothing has it until the page goes.
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useDraft(): KeptDraft {
  return useSyncExternalStore(subscribe, () => kept)
}

export function changeDraft(draft: string): void {
  put({ ...kept, draft })
}

/** Begins another one; what was there can be taken back. */
export function beginDraft(draft: string): void {
  put({ draft, before: kept.draft === draft ? kept.before : kept.draft })
}

export function takeBack(): void {
  if (kept.before !== undefined) put({ draft: kept.before, before: kept.draft })
}

/** Lines of a policy as a draft that has everything else of the file that runs. */
export function draftOf(file: string | null, yaml: string): string {
  return `include: [${JSON.stringify(file ?? 'turnward.yaml')}]\n${yaml}`
}

/** To begin with. */
export const exampleRule = `rules:
  - name: draft
    when: "tool.name == 'mail__send'"
    verdict: deny
    reason: A draft.
`
