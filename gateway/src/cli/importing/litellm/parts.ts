/** How values of LiteLLM's file refer to the environment: `os.environ/NAME` is all of a value, anywhere in the file. */
import type { ForeignPart } from '../gateways/foreign-text.ts'

export function litellmParts(text: string): readonly ForeignPart[] {
  const [, name] = /^os\.environ\/([A-Za-z_]\w*)$/.exec(text.trim()) ?? []
  return [name === undefined ? { text } : { variable: name }]
}
