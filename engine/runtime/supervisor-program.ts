/** The program that supervises commands beside the engine: a small process forks in a fraction of the time that Node takes. */

/**
 * Perl, without modules. It reads launches from its standard input, one at a time: a length (32 bits, big-endian), and that
 * many bytes of fields with a NUL between them: the attempt's folder, the working folder, the rest of the record, how many
 * variables follow, these, the argument vector. It answers in lines of words with tabs between them: `ready PID START`
 * (its own); then for each launch `started PID START`, or `failed WHY` where nothing began, and `ended CODE` (128 + n for signal n).
 *
 * It is in no group that the command could signal, ignores what asks it to leave, and stays until it has written the
 * ending: so the engine's death does not lose it, nor what another attempt does. The ending is one write of one line, of
 * which no part is JSON, so that nobody takes half of it for an ending.
 *
 * No command begins whose process is not on record, nor one whose attempt was given up: who gives it up leaves a mark and
 * then looks for the record, here it is the other way round. In the same way whoever stops it leaves a mark before the
 * signal, which may come before it can be heard. What the command left running in its group ends with it, unless it was
 * asked to stop: then it has the rest of the grace.
 */
export const supervisorProgram = String.raw`
my @signals = qw(PIPE TERM INT HUP);
$SIG{$_} = 'IGNORE' for @signals;
$0 = 'dagctl supervisor';
my $mask = umask 077;
open my $engine, '>&', \*STDOUT or die;
my ($supervisor, $since) = ($$, start_time());
answer('ready', $supervisor, $since);
supervise(split /\0/, take(unpack 'N', take(4)), -1) while 1;

sub supervise {
  my ($folder, @command) = @_;
  my $pid = fork;
  if (!defined $pid) {
    answer('failed', "fork: $!");
    return answer('ended', 75);
  }
  begin($folder, @command) if $pid == 0;
  waitpid $pid, 0;
  my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
  record("$folder/ending.json", "{\"code\":$code}\n");
  kill 'KILL', -$pid unless -e "$folder/stopping";
  answer('ended', $code);
}

sub begin {
  my ($folder, $cwd, $record, $count, @words) = @_;
  my $failed = sub { answer('failed', $_[0]); exit 75 };
  my $start = start_time();
  setpgrp 0, 0;
  record("$folder/process.json", qq({"type":"command","pid":$$,"startTime":"$start",$record,) .
    qq("supervisor":{"pid":$supervisor,"startTime":"$since"}}\n)) or $failed->("process.json: $!");
  $failed->('the attempt was given up') if -e "$folder/abandoned";
  open STDIN, '<', '/dev/null' or $failed->("/dev/null: $!");
  open STDOUT, '>>', "$folder/stdout.log" or $failed->("stdout.log: $!");
  open STDERR, '>>', "$folder/stderr.log" or $failed->("stderr.log: $!");
  chdir $cwd or $failed->("$cwd: $!");
  for (splice @words, 0, $count) {
    my ($name, $value) = split /=/, $_, 2;
    $ENV{$name} = $value;
  }
  umask $mask;
  answer('started', $$, $start);
  $SIG{$_} = 'DEFAULT' for @signals;
  exit 143 if -e "$folder/stopping";
  exec { $words[0] } @words;
  # ENOEXEC: a script without a first line for a shell. Not every C library sees to that.
  exec '/bin/sh', @words if $! == 8;
  my ($absent, $why) = ($! == 2, "$!");
  print STDERR "$words[0]: ", $absent ? 'not found' : $why, "\n";
  exit($absent ? 127 : 126);
}

sub take {
  my ($length) = @_;
  my $bytes = '';
  while (length $bytes < $length) { sysread STDIN, $bytes, $length - length $bytes, length $bytes or exit }
  return $bytes;
}

sub record {
  my ($path, $line) = @_;
  open my $file, '>', $path or return 0;
  return length $line == (syswrite($file, $line) // -1) && close $file;
}

sub start_time {
  if (open my $stat, '<', '/proc/self/stat') {
    my $line = <$stat>;
    return (split ' ', substr $line, rindex($line, ')') + 2)[19];
  }
  my ($said) = qx(ps -o lstart= -p $$) =~ /(\S.*\S)/;
  return $said;
}

sub answer { syswrite $engine, join("\t", @_) . "\n" }
`
