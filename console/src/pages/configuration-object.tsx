/** One object of the configuration: as it is, and, where it is managed here, to be changed. */
import type { configObjectSchema } from '@turnward/contract/api/config'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { ApiError, read, type Me } from '../api.ts'
import { Confirming } from '../configuration/confirming.tsx'
import { jsonOf } from '../configuration/changes.tsx'
import { Asked, Page, useMe } from '../parts.tsx'
import { Snippet } from '../snippet.tsx'

type ConfigObject = z.output<typeof configObjectSchema>

interface Named {
  readonly kind: string
  readonly name: string
  readonly path: string
}

export function ObjectPage() {
  const { kind, name } = useParams({ from: '/configuration/$kind/$name' })
  const path = `/api/config/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`
  return (
    <Page title={`${kind}/${name}`}>
      <p>
        <Link to="/configuration/$kind" params={{ kind }}>
          All {kind}
        </Link>
      </p>
      <Asked options={{ queryKey: ['config', kind, 'one', name], queryFn: () => objectAt(path) }}>
        {(object) => <OneObject key={object?.etag ?? 'new'} named={{ kind, name, path }} object={object} />}
      </Asked>
    </Page>
  )
}

/** Null when it is to be made. */
function objectAt(path: string): Promise<ConfigObject | null> {
  return read<ConfigObject>(path).catch((error: unknown) => {
    if (error instanceof ApiError && error.refusal.code === 'config.object_not_found') return null
    throw error
  })
}

function OneObject({ named, object }: { readonly named: Named; readonly object: ConfigObject | null }) {
  const { kind, name } = named
  if (object === null)
    return (
      <>
        <p>There is no such object yet.</p>
        <Editing named={named} object={null} />
      </>
    )
  const { managed, place, value } = object
  if (managed === 'console') return <Editing named={named} object={object} />
  return (
    <>
      <p>It is changed where it is written: {place === undefined ? 'in the configuration file' : `${place.source}, line ${place.line}`}.</p>
      <Snippet name={`${kind}/${name}`} text={jsonOf(value)} />
    </>
  )
}

function Editing({ named: { path, kind, name }, object }: { readonly named: Named; readonly object: ConfigObject | null }) {
  const { data: me } = useMe()
  const [text, setText] = useState(object === null ? '{\n  \n}' : jsonOf(object.value))
  const why = whyNot(me)
  const headers = object === null ? { 'if-none-match': '*' } : { 'if-match': object.etag }
  return (
    <>
      {object !== null && object.place === undefined ? (
        <p className="refused">It is not in use: it does not go with the configuration file.</p>
      ) : null}
      <label>
        What it says, as JSON
        <textarea
          rows={Math.min(30, Math.max(6, text.split('\n').length + 1))}
          spellCheck={false}
          value={text}
          readOnly={why !== undefined}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <Confirming id={text} label="Save" why={why} request={() => ({ method: 'PUT', path, headers, body: valueIn(text) })} />
      {object === null ? null : (
        <>
          <h2>Take it away</h2>
          <Confirming
            id={`without ${kind}/${name}`}
            label={`Remove ${name}`}
            why={why}
            request={() => ({ method: 'DELETE', path, headers })}
          />
        </>
      )}
    </>
  )
}

function whyNot(me: Me | undefined): string | undefined {
  return me?.roles.includes('admin') === true ? undefined : 'Changing the configuration needs the role admin.'
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`This is not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`, { cause: error })
  }
}
