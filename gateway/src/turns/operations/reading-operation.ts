/** The body of an operation: JSON, or a form with files in it. Only the name of the model is read of what is passed on. */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ModelOperation } from '../../models/operations.ts'
import { allGuardedFields } from '../../wire/dialects.ts'
import { readForm, textOf, writeForm } from '../../wire/request/form.ts'
import { isAbsent, objectsOf } from '../../wire/request/fields.ts'
import { parseGuardedJson } from '../../wire/request/json-guard.ts'
import { replaceModel } from '../../wire/request/splice-bytes.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import type { OperationBody } from './opening-way.ts'

/** Throws `request.*` for what cannot be read for certain. */
export async function readOperation(services: Services, origin: CallOrigin, operation: ModelOperation): Promise<OperationBody> {
  const { limits } = services.snapshot().settings
  const bytes = await origin.body(limits)
  const form = operation.form ?? 'openai'
  if (operation.hasFiles === true) {
    const parts = await readForm(bytes, origin.headers['content-type'])
    return { form, model: textOf(parts, 'model'), json: undefined, texts: textsIn(parts), as: (model) => writeForm(parts, 'model', model) }
  }
  const guards = { maxDepth: limits.max_depth, maxKeys: limits.max_keys, guardedFields: allGuardedFields }
  const json = parseGuardedJson(bytes, guards)
  if (origin.path !== undefined) return namedByPath(json, bytes, form, origin.path.model)
  return { form, model: modelOf(json), json, as: (model) => ({ bytes: renamed(bytes, json, model), contentType: 'application/json' }) }
}

/** All but the name of the model. */
function textsIn(parts: FormData): readonly string[] {
  return [...parts].flatMap(([name, value]) => (typeof value === 'string' && name !== 'model' ? [value] : []))
}

/** Whoever is granted one model does not ask another by naming it a second time. */
function namedByPath(json: JsonObject, bytes: Buffer, form: OperationBody['form'], model: string): OperationBody {
  for (const request of [json, ...objectsOf(json.requests)])
    if (!isAbsent(request.model) && request.model !== model && request.model !== `models/${model}`)
      throw new TurnwardError('request.invalid', { subject: 'model', why: 'the path names another one' })
  return { form, model, json, isConverted: true, as: () => ({ bytes, contentType: 'application/json' }) }
}

function modelOf({ model }: JsonObject): string {
  if (typeof model === 'string' && model !== '') return model
  throw new TurnwardError('request.invalid', { subject: 'model', why: 'it must name a model' })
}

function renamed(bytes: Buffer, json: JsonObject, model: string): Buffer {
  const body = json.model === model ? bytes : replaceModel(bytes, model)
  if (body === undefined) throw new TurnwardError('request.invalid', { subject: 'model', why: 'it was not found at the top of the body' })
  return body
}
