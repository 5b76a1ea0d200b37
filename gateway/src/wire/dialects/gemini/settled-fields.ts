/** What of a Gemini request is settled once it has been read, and what of an answer once it has been decided on: no transform changes it. */
import type { SettledFields } from '../../dialect.ts'

export const settledFields: SettledFields = {
  request: [
    'model',
    'contents',
    'systemInstruction',
    'stream',
    'tools',
    'toolConfig',
    'cachedContent',
    'generateContentRequest',
    'generationConfig/candidateCount',
  ],
  answer: ['candidates', 'promptFeedback', 'usageMetadata', 'responseId', 'error'],
}
