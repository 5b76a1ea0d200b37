/** Models as Gemini's API lists them. */
import type { JsonObject } from '../../../core/json.ts'

const prefix = 'models/'

export function modelEntry(name: string): JsonObject {
  return {
    name: prefix + name,
    version: '',
    displayName: name,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  }
}

export function modelList(names: readonly string[]): JsonObject {
  return { models: names.map(modelEntry) }
}
