/** Shapes of arguments a contract can name under `requires.unless`; each is described in docs/policy.md. */
export const argumentShapeNames = [
  'looking_command',
  'checking_command',
  'looking_program',
  'checking_program',
  'plain_file',
  'plain_patch',
  'empty_text',
] as const

export type ArgumentShapeName = (typeof argumentShapeNames)[number]
