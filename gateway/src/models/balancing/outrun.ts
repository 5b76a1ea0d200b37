/** Why an exchange with an upstream is cut off that is nobody's fault: another upstream has begun to answer before it. */
import { TurnwardError } from '../../core/error.ts'

export class Outrun extends TurnwardError {
  constructor() {
    super('request.cancelled', { why: 'another upstream has begun to answer before it' })
  }
}
