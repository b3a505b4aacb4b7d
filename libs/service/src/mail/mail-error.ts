export interface MailFailure {
  /** Whether a repetition can only fail again: the server refused this mail. */
  readonly isPermanent: boolean;
  /** Of the mail library, such as EENVELOPE or ETIMEDOUT. */
  readonly code: string;
  /** Of the server, such as 550. */
  readonly responseCode: number | undefined;
}

/** Without the text of the server, because it quotes the recipient. */
export class MailError extends Error implements MailFailure {
  override readonly name = 'MailError';
  readonly isPermanent: boolean;
  readonly code: string;
  readonly responseCode: number | undefined;

  constructor(mail: string, { isPermanent, code, responseCode }: MailFailure) {
    const status = responseCode === undefined ? '' : ` with ${responseCode}`;
    super(`mail ${mail}: was not sent: ${code}${status}; expected the mail server to accept it`);
    this.isPermanent = isPermanent;
    this.code = code;
    this.responseCode = responseCode;
  }
}
