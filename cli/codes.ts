/** The codes of what the command line itself refuses. Data only; E1xx are the DSL's, E5xx the engine's. */

/** What each code means, in one line; docs/errors.md shows the same table. */
export const codes = {
  E201: 'The command line cannot be read: an unknown command or option, or one that is missing.',
  E202: 'A file that cannot be read, or is not there.',
  E203: 'A folder where a file is needed, or a folder without a pipeline.',
  E204: 'A pipeline that the store does not know.',
  E205: 'A run that the store does not know.',
  E206: "An option's value that makes no sense.",
  E207: 'An option or value that this version of dagctl does not support yet.',
  E208: 'The pipeline has no schedule with instants, and the command needs one.',
  E209: 'A task or an attempt that the run or pipeline does not have.',
  E210: 'An operator that does not exist.',
  E211: 'A file that is in the way.',
  E212: 'A run from which outputs cannot be taken.',
  E213: 'A file that is made to be used by others, where a pipeline of its own is needed.',
  E220: 'Two runs that cannot be compared.',
  E230: 'A backfill that the store does not know.',
  E231: 'An unfinished backfill of another version of the pipeline is in the way.',
  E232: 'A backfill that has ended: it can be neither paused nor gone on with.',
  E240: 'Something that cannot be asked of the run, or of the task, as it stands.',
  E241: 'An answer that does not match the form of its question.',
  E301: 'The pipeline file has errors; they are listed above.',
  E302: 'dagctl.yaml has errors; they are listed above.',
  E504: 'The system refused something: the disk is full, a folder cannot be written.',
} as const
