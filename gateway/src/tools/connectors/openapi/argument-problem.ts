/** Why a call cannot be written as a request. Becomes a tool error: the model can correct itself. */
export class ArgumentProblem extends Error {
  /** `why`: what is wrong with the argument, never quoting its value. */
  constructor(argument: string, why: string) {
    super(`\`${argument}\` ${why}`)
    this.name = 'ArgumentProblem'
  }
}
