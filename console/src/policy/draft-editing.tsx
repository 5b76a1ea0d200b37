/** The draft, to be written: checked by the gateway while that is done, and shown what is wrong at which line. */
import type { draftCheckSchema } from '@turnward/contract/api/policy'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import type { z } from 'zod'
import { change } from '../api.ts'
import { policyOptions, type Policy } from '../pages/policy.tsx'
import { Refused, useMe } from '../parts.tsx'
import { countText } from '../words.ts'
import { PlainEditor, type Mark } from './plain-editor.tsx'
import { changeDraft, draftOf, exampleRule, takeBack, useDraft } from './draft.ts'

export type DraftCheck = z.output<typeof draftCheckSchema>

/** How long nobody types before it is checked. */
const quietMs = 500

/** The policy that runs, for whoever may look at it. */
export function usePolicy(): Policy | undefined {
  const { data: me } = useMe()
  return useQuery({ ...policyOptions(), enabled: me?.roles.includes('viewer') === true }).data
}

/** The draft as it is now; the one that everybody begins with where there is none. */
export function useDraftText(): string {
  const { draft } = useDraft()
  const policy = usePolicy()
  return draft ?? draftOf(policy?.file ?? null, exampleRule)
}

/** What is wrong with the draft; undefined while that is not known. */
function useDraftCheck(text: string): { readonly check: DraftCheck | undefined; readonly error: Error | null; readonly mayCheck: boolean } {
  const who = useMe()
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), quietMs)
    return () => clearTimeout(timer)
  }, [text])
  const { data: me } = who
  const mayCheck = me?.roles.includes('policy_author') === true
  const { data, error } = useQuery({
    queryKey: ['policy', 'check', settled],
    queryFn: () => {
      if (me === undefined) throw new Error('Who you are is still being read. Try again.')
      return change<DraftCheck>(me, 'POST', '/api/policy/check', { draft: settled })
    },
    enabled: mayCheck,
    gcTime: 60_000,
  })
  return { check: settled === text ? data : undefined, error, mayCheck }
}

const label = 'Draft, as YAML'
const none: readonly Mark[] = []
/** Loaded when somebody writes a draft; where it cannot be, there is a plain one. */
const CodeEditor = lazy(() => import('./code-editor.tsx').catch(() => ({ default: PlainEditor })))

/** What may stand in a draft. */
const sections = ['include', 'rules', 'contracts', 'values', 'grants', 'groups', 'principals', 'packs', 'policy', 'approvals']
const fields =
  'name when verdict reason approval from count output trust audience because effects requires includes done not_done asked unless args role success remembers override groups tools models gateways servers forbid posture'.split(
    ' ',
  )

/** What the editor offers: what a draft may have, and what this gateway knows. */
function useWords(): Readonly<Record<string, readonly string[]>> {
  const data = usePolicy()
  return useMemo(
    () => ({
      section: sections,
      field: fields,
      value: ['deny', 'warn', 'escalate', 'destination', 'authority', 'content', '$principal', ...(data?.trust ?? [])],
      tool: data?.tools.map(({ tool }) => tool).slice(0, 500) ?? [],
    }),
    [data],
  )
}

export function DraftEditing() {
  const text = useDraftText()
  const { before } = useDraft()
  const { check, error, mayCheck } = useDraftCheck(text)
  const after = useRef<HTMLDivElement>(null)
  const words = useWords()
  const marks = useMemo(() => check?.problems.filter(({ file }) => file === null) ?? none, [check])
  return (
    <>
      <p className="heading">
        {label} <small>(Tab goes on to what comes next, Escape leaves the editor, F8 goes to what is wrong)</small>
      </p>
      <Suspense fallback={<PlainEditor label={label} text={text} />}>
        <CodeEditor label={label} text={text} marks={marks} words={words} onText={changeDraft} onLeave={() => after.current?.focus()} />
      </Suspense>
      {before === undefined || before === text ? null : (
        <p>
          <button type="button" onClick={takeBack}>
            Take back the draft before
          </button>
        </p>
      )}
      <div role="status" className="checked" ref={after} tabIndex={-1}>
        {!mayCheck ? (
          <p>Checking it as you type needs the role policy_author.</p>
        ) : check === undefined ? (
          <p>{error === null ? 'Checking…' : 'It was not checked.'}</p>
        ) : check.compiles ? (
          <p className="good">Nothing is wrong with it.</p>
        ) : (
          <>
            <p className="bad">{countText(check.problems.length, 'problem')}: nothing is tried or kept until it is mended.</p>
            <ul>
              {check.problems.map(({ file, line, column, message, suggestion }) => (
                <li key={`${file} ${line} ${column} ${message}`}>
                  {file === null ? `Line ${line}, column ${column}` : `${file}:${line}`}: {message}
                  {suggestion === undefined ? '' : ` Did you mean ${suggestion}?`}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
      {error === null ? null : <Refused error={error} />}
    </>
  )
}
