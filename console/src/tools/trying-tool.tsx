/** Calls a tool as whoever is signed in, on the way of every call, and says what was decided and why. */
import type { toolDetailSchema, triedSchema } from '@turnward/contract/api/tools'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { change } from '../api.ts'
import { Refused, useMe } from '../parts.tsx'
import { Snippet } from '../snippet.tsx'
import { Why } from '../turns/step-detail.tsx'
import { labelText } from '../words.ts'
import { argumentsIn, argumentsOf, fieldsOf, type SchemaField } from './schema-fields.ts'

type Tried = z.output<typeof triedSchema>

interface TryingToolProps {
  readonly tool: z.output<typeof toolDetailSchema>
  readonly path: string
}

const outcomeWords: Readonly<Record<Tried['outcome'], string>> = {
  ran: '✓ It ran.',
  failed: 'It ran, and its server reports an error.',
  refused: 'It was refused, and did not run.',
  waits: 'It waits for a person, and did not run.',
}

export function TryingTool({ tool: { name, input_schema: schema, pin, gateways }, path }: TryingToolProps) {
  const who = useMe()
  const fields = fieldsOf(schema)
  const [filled, setFilled] = useState<Readonly<Record<string, string>>>({})
  const [isJson, setJson] = useState(fields === undefined)
  const [text, setText] = useState('{\n  \n}')
  const trying = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      const args = fields === undefined || isJson ? argumentsIn(text) : argumentsOf(fields, filled)
      return change<Tried>(who.data, 'POST', `${path}/try`, { arguments: args })
    },
  })
  const why =
    pin === 'new' || pin === 'changed'
      ? 'Its definition waits for a review: until then nobody can call it.'
      : gateways.length === 0
        ? 'No MCP gateway shows its server.'
        : undefined
  const isOff = why !== undefined || trying.isPending
  return (
    <>
      <h2>Try it</h2>
      <p>
        This is a real call: it runs as you, with your grants, through policy, approvals and limits, and is on record. It belongs to a
        conversation of its own.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!isOff) trying.mutate()
        }}
      >
        {fields === undefined ? null : (
          <label className="check">
            <input type="checkbox" checked={isJson} onChange={({ target }) => setJson(target.checked)} />
            Write the arguments as JSON
          </label>
        )}
        {fields === undefined || isJson ? (
          <label>
            Arguments, as JSON
            <textarea rows={6} spellCheck={false} value={text} onChange={({ target }) => setText(target.value)} />
          </label>
        ) : (
          fields.map((field) => (
            <Field
              key={field.name}
              field={field}
              value={filled[field.name] ?? ''}
              onChange={(value) => setFilled((before) => ({ ...before, [field.name]: value }))}
            />
          ))
        )}
        {fields?.length === 0 && !isJson ? <p>It takes no arguments.</p> : null}
        {why === undefined ? null : <p id="why-not-try">{why}</p>}
        <p>
          <button type="submit" className="primary" aria-disabled={isOff} aria-describedby="why-not-try">
            {trying.isPending ? 'Running…' : `Call ${name}`}
          </button>
        </p>
      </form>
      {trying.isPending ? (
        <p role="status">
          It runs, or waits for a person. <Link to="/approvals">See what waits</Link>
        </p>
      ) : null}
      {trying.error === null || trying.isPending ? null : <Refused error={trying.error} />}
      {trying.data === undefined || trying.isPending ? null : <Outcome tried={trying.data} />}
    </>
  )
}

interface FieldProps {
  readonly field: SchemaField
  readonly value: string
  readonly onChange: (value: string) => void
}

function Field({ field: { name, about, isRequired, kind, options }, value, onChange }: FieldProps) {
  const choices = kind === 'yes or no' ? ['true', 'false'] : options
  const label = `${name}${isRequired ? '' : ' (optional)'}${kind === 'json' ? ', as JSON' : ''}`
  const hint = `about-${name}`
  return (
    <>
      <label>
        {label}
        {choices.length > 0 ? (
          <select required={isRequired} value={value} aria-describedby={hint} onChange={({ target }) => onChange(target.value)}>
            <option value="">{isRequired ? 'choose' : 'left out'}</option>
            {choices.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
          </select>
        ) : kind === 'json' ? (
          <textarea
            rows={3}
            spellCheck={false}
            required={isRequired}
            value={value}
            aria-describedby={hint}
            onChange={({ target }) => onChange(target.value)}
          />
        ) : (
          <input
            inputMode={kind === 'number' ? 'decimal' : undefined}
            required={isRequired}
            value={value}
            aria-describedby={hint}
            onChange={({ target }) => onChange(target.value)}
          />
        )}
      </label>
      {about === '' ? null : <small id={hint}>{about}</small>}
    </>
  )
}

function Outcome({ tried: { outcome, gateway, decision, approval, result } }: { readonly tried: Tried }) {
  return (
    <section role="status" aria-label="What became of the call" className={outcome === 'ran' ? 'gain' : 'refused'}>
      <p>
        <strong>{outcomeWords[outcome]}</strong>
      </p>
      {decision === null ? (
        <p>What was decided cannot be read at the moment.</p>
      ) : (
        <>
          <p>
            {decision.action === 'observe'
              ? `Policy only observes; enforced, it would have been refused: ${decision.reason}`
              : decision.reason}
          </p>
          <Why {...decision} />
          <dl>
            <dt>Decided on</dt>
            <dd>{decision.label === null ? 'nothing that was read' : labelText(decision.label)}</dd>
            <dt>By</dt>
            <dd>{decision.rules.join(', ')}</dd>
            <dt>Through</dt>
            <dd>{gateway}</dd>
          </dl>
          {decision.turn === null ? null : (
            <p>
              <Link to="/turns/$id" params={{ id: decision.turn }}>
                See it on record
              </Link>
            </p>
          )}
        </>
      )}
      {approval === null ? null : (
        <p>
          <Link to="/approvals/$id" params={{ id: approval }}>
            See what it waits for
          </Link>
        </p>
      )}
      {result === null ? null : (
        <>
          <p>The server says this. Nobody vouches for it.{result.is_cut ? ' It is longer; this is its beginning.' : ''}</p>
          <Snippet name="Result" text={result.text} isWhole />
        </>
      )}
    </section>
  )
}
