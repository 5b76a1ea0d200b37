/**
 * Changes the fields of a request that its route wants changed, in the caller's dialect. What a model reads, what it is offered and how it
 * answers is settled by then and is not among them: limits, guards, the cache and the upstream see the same request.
 */
import type { Route } from '../../config/snapshot.ts'
import type { ModelCall } from '../call.ts'
import { editFields } from '../editing-fields.ts'
import { TransformsOfCall } from './transforms-of-call.ts'

/** Throws `transform.request`. */
export function transformRequest(call: ModelCall, { transforms: all }: Pick<Route, 'transforms'>): void {
  if (all.length === 0) return
  const own = all.filter(({ dialects }) => dialects.has(call.dialect.name))
  if (own.length === 0) return
  const transforms = (call.transforms = new TransformsOfCall(call, own))
  for (const transform of transforms.ofAnswer)
    if (call.view.stream && transforms.mayChangeAnswer(transform))
      transforms.cannot(transform, 'it changes whole answers, and this one is to be streamed')
  for (const transform of own) {
    if (transform.on !== 'request') continue
    const { fields } = call.body
    const changed = transforms.changed(transform, fields)
    if (changed === undefined) continue
    const names = [...new Set([...Object.keys(fields), ...Object.keys(changed)])].filter((name) => fields[name] !== changed[name])
    editFields(call, names, () => {
      for (const name of names) {
        const value = changed[name]
        if (value === undefined) delete fields[name]
        else fields[name] = value
      }
    })
  }
}
