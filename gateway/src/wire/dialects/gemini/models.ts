/** Models as Gemini's API lists them. */
import type { JsonObject } from '../../../core/json.ts'

const prefix = 'models/'

export function modelEntry(name: string, description?: string): JsonObject {
  return {
    name: prefix + name,
    version: '',
    displayName: name,
    ...(description === undefined ? {} : { description }),
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  }
}

export function modelList(names: readonly string[], describe: (name: string) => string | undefined = () => undefined): JsonObject {
  return { models: names.map((name) => modelEntry(name, describe(name))) }
}
