/** The setting that policies compare with the owner of a row. */
export const USER_SETTING = 'app.user_id';
