/** Settings of a known form, such as a region: what has the form is no secret and may be written down. */
import type { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

/** Form -> its shape, and one of its kind that stands for a variable that is not set yet. */
const forms = {
  azureVersion: [/^\d{4}-\d{2}-\d{2}(?:-preview)?$/, '2024-10-21'],
  awsRegion: [/^[a-z]{2,4}(?:-[a-z]{1,12}){1,3}-\d{1,2}$/, 'us-east-1'],
  awsGuardrail: [
    /^(?:[a-z0-9]{1,32}|arn:aws(?:-[^:\s]{1,20})?:bedrock:[a-z0-9-]{1,20}:\d{12}:guardrail\/[a-z0-9]{1,32})$/,
    'not-known-yet',
  ],
  awsGuardrailVersion: [/^(?:DRAFT|\d{1,8})$/, 'DRAFT'],
  googleProject: [/^[a-z][a-z0-9-]{4,29}$/, 'my-project'],
  googleLocation: [/^[a-z]{2,20}(?:-[a-z]{2,20}\d{1,2})?$/, 'us-central1'],
  googleTemplate: [/^[a-z][a-z0-9_-]{0,62}$/, 'not-known-yet'],
  lakeraProject: [/^project-\d{1,20}$/, 'project-1'],
} as const satisfies Readonly<Record<string, readonly [shape: RegExp, sample: string]>>

export type Form = keyof typeof forms

/** False where nothing says it. */
export function setShaped(
  entry: DraftEntry,
  setting: string,
  form: Form,
  from: Foreign | undefined,
  owner: string,
  texts: ForeignTexts,
): boolean {
  const text = from?.text()
  if (from === undefined || text === undefined) return false
  const [shape, sample] = forms[form]
  const written = texts.shaped(setting, shape, text, owner, sample)
  entry.set(setting, written.text, from, written.why)
  return true
}

/** A variable that the other gateway reads without its file naming it. `fallback`: what holds where it is not set. */
export function setImplied(
  entry: DraftEntry,
  setting: string,
  form: Form,
  variable: string,
  owner: string,
  texts: ForeignTexts,
  fallback?: string,
): void {
  entry.set(setting, texts.variable(variable, owner, forms[form][1], fallback))
}
