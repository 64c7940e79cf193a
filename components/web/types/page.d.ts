/** The elements of assets/index.html, by id, that are more than an `HTMLElement`. */
export interface ElementsById {
  message: HTMLTextAreaElement;
  send: HTMLButtonElement;
  search: HTMLInputElement;
  'search-form': HTMLFormElement;
  'search-scope': HTMLSelectElement;
  'search-sort': HTMLSelectElement;
  'new-dialog': HTMLDialogElement;
  'new-form': HTMLFormElement;
  'delete-dialog': HTMLDialogElement;
  'delete-form': HTMLFormElement;
  'sign-in-dialog': HTMLDialogElement;
  'sign-in-form': HTMLFormElement;
  'devices-dialog': HTMLDialogElement;
  'sign-out-dialog': HTMLDialogElement;
  'sign-out-form': HTMLFormElement;
}

export type ElementOf<Id> = Id extends keyof ElementsById ? ElementsById[Id] : HTMLElement;
