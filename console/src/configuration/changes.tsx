/** What a change does to objects of the configuration, and what is wrong with it. */
import type { configDiffSchema, configProblemSchema } from '@turnward/contract/api/config'
import type { z } from 'zod'
import { lineDiff } from './line-diff.ts'

type Change = z.output<typeof configDiffSchema>['changes'][number]
type Problem = z.output<typeof configProblemSchema>

export function Changes({ changes }: { readonly changes: readonly Change[] }) {
  if (changes.length === 0) return <p>Nothing is different.</p>
  return changes.map(({ kind, name, change, before, after }) => (
    <figure key={`${kind} ${name}`} className="snippet">
      <figcaption>
        {kind}/{name}: {change}
      </figcaption>
      <pre tabIndex={0} aria-label={`${kind}/${name}`} className="diff">
        {lineDiff(jsonOf(before), jsonOf(after)).map(({ sign, text }, at) => (
          <span key={at} className={sign === '-' ? 'gone' : sign === '+' ? 'added' : undefined}>
            {sign} {text}
            {'\n'}
          </span>
        ))}
      </pre>
    </figure>
  ))
}

export function Problems({ problems }: { readonly problems: readonly Problem[] }) {
  return (
    <div role="alert" className="refused">
      <p>
        <strong>This would not be taken. Nothing was changed.</strong>
      </p>
      <ul>
        {problems.map(({ code, message, path, place, suggestion }) => (
          <li key={`${path} ${code} ${message}`}>
            {path === '' ? '' : `${path}: `}
            {message}
            {suggestion === undefined ? '' : ` Did you mean ${suggestion}?`}{' '}
            <small>({place.source === 'console' ? code : `${place.source}:${place.line}, ${code}`})</small>
          </li>
        ))}
      </ul>
    </div>
  )
}

export function jsonOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2)
}
